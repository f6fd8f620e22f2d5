/* Where a session was saved, and when that is not gone on with; and classes that a model orders
 * otherwise than the session's did. */
#include "tests/host/takes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RATE = TAKES_RATE, CUT = 30000, FRAMES = RATE / 2 };

static char root[] = "/tmp/brume-place-XXXXXX", session[PATH_MAX];

static Sound reference;

static Take live(void)
{
    return (Take){.bundle = host_tiny_bundle(), .live = true, .block = 64, .seed = 3};
}

static int save_session(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(root));
    snprintf(session, sizeof session, "%s/session", root);
    Take take = live();
    take.to = session;
    take.cut = CUT;
    reference = take_record(&take, CUT + 2 * FRAMES);
    return 0;
}

static int remove_session(void **state)
{
    (void)state;
    char command[200];
    sound_clear(&reference);
    snprintf(command, sizeof command, "rm -rf '%s'", root);
    return system(command);
}

/* Plays until there are n frames of sound, from its first frame that is not silent on. */
static Sound hear(Host *host, size_t n)
{
    Sound sound = {.frames = calloc(2 * n, sizeof(float))};
    assert_non_null(sound.frames);
    for (int blocks = 0; sound.count < n && blocks < 20000; blocks++) {
        usleep(sound.count == 0 || host_get(host, "buffered") < 0.3F ? 5000 : 0);
        host_run(host, 64);
        for (uint32_t i = 0; i < 64 && sound.count < n; i++) {
            const float left = host_out(host, 0)[i], right = host_out(host, 1)[i];
            if (sound.count == 0 && left == 0 && right == 0)
                continue;
            sound.frames[2 * sound.count] = left;
            sound.frames[2 * sound.count++ + 1] = right;
        }
    }
    return sound;
}

static void assert_heard(Host *host, size_t from)
{
    Sound sound = hear(host, 5000);
    assert_int_equal(sound_differs(&sound, &reference, from, 0, 5000), 0);
    sound_clear(&sound);
}

static void assert_goes_on(Host *host)
{
    assert_heard(host, CUT);
    assert_null(strstr(host_status(host), "begins at its start"));
}

/* From the first frame of whatever it is, and the player is told. */
static void assert_begins(Host *host)
{
    Sound sound = hear(host, 5000);
    assert_true(sound_differs(&sound, &reference, CUT, 0, 5000) > 5000);
    assert_non_null(strstr(host_status(host), "begins at its start"));
    assert_non_null(strstr(host_log(host), "begins at its start: "));
    sound_clear(&sound);
}

static Host *restored(double rate)
{
    Host *host = host_open(host_tiny_bundle(), rate, (HostKind){0});
    host_restore(host, session);
    return host;
}

static void test_goes_on(void **state)
{
    (void)state;
    Host *host = restored(RATE);
    host_activate(host);
    assert_goes_on(host);
    /* Once more in the same instance, which has played meanwhile. */
    host_deactivate(host);
    host_restore(host, session);
    host_activate(host);
    assert_goes_on(host);
    /* Off and on again: from the first frame, as ever. */
    host_deactivate(host);
    host_activate(host);
    assert_heard(host, 0);
    host_close(host);
}

/* Hosts switch plugins off and on as they set a session up; and may save it before it is heard. */
static void test_waits_to_be_heard(void **state)
{
    (void)state;
    char again[PATH_MAX + 8];
    snprintf(again, sizeof again, "%s-again", session);
    Host *host = restored(RATE);
    host_save(host, again);
    for (int i = 0; i < 3; i++) {
        host_activate(host);
        host_run(host, 64);
        host_deactivate(host);
    }
    host_close(host);
    host = host_open(host_tiny_bundle(), RATE, (HostKind){0});
    host_restore(host, again);
    for (int i = 0; i < 3; i++) {
        host_activate(host);
        host_save(host, again);
        host_deactivate(host);
    }
    host_close(host);
    host = host_open(host_tiny_bundle(), RATE, (HostKind){0});
    host_restore(host, again);
    host_activate(host);
    assert_goes_on(host);
    host_close(host);
}

/* An export is the same, whatever a session was saved in the middle of. */
static void test_export_begins_at_the_start(void **state)
{
    (void)state;
    Sound sound = {.frames = calloc(2 * FRAMES, sizeof(float)), .count = FRAMES};
    Host *host = restored(RATE);
    host_activate(host);
    host_export(host, sound.frames, FRAMES, 512);
    /* The reference begins with the first frame that is not silent: number 1. */
    sound.count--;
    memmove(sound.frames, sound.frames + 2, 2 * sound.count * sizeof(float));
    assert_int_equal(sound_differs(&sound, &reference, 0, 0, FRAMES - 1), 0);
    host_close(host);
    sound_clear(&sound);
}

static void test_what_does_not_fit(void **state)
{
    (void)state;
    const struct {
        const char *symbol;
        float value;
    } knobs[] = {{"seed", 4}, {"steps", 3}, {"width", 0.1F}, {"texture", 1}, {"mode", 1}};
    Host *host = restored(44100);
    host_activate(host);
    assert_begins(host);
    host_close(host);
    for (size_t k = 0; k < sizeof knobs / sizeof knobs[0]; k++) {
        host = restored(RATE);
        host_set(host, knobs[k].symbol, knobs[k].value);
        host_activate(host);
        host_run(host, 64);
        assert_non_null(strstr(host_status(host), "begins at its start"));
        host_close(host);
    }
    /* Another model, in a session whose text somebody changed. */
    char command[3 * PATH_MAX], build[PATH_MAX];
    assert_non_null(realpath(getenv("BUILD") ? getenv("BUILD") : "build", build));
    snprintf(command, sizeof command,
             "sed -e 's/modelHash> \"..../modelHash> \"0000/' "
             "-e 's|modelName> \"texture\"|model> <file://%s/tests/host/tiny/other.safetensors>|' "
             "'%s/state.ttl' >'%s/other.ttl' && mkdir '%s/other' && mv '%s/other.ttl' "
             "'%s/other/state.ttl'",
             build, session, root, root, root, root);
    assert_int_equal(system(command), 0);
    snprintf(command, sizeof command, "%s/other", root);
    host = host_open(host_tiny_bundle(), RATE, (HostKind){0});
    host_restore(host, command);
    host_activate(host);
    assert_begins(host);
    assert_non_null(strstr(host_status(host), "Playing \"other\""));
    host_close(host);
}

/* A preset is chosen while the plugin plays: it moves nothing, though it was saved from a session.
 */
static void test_preset_moves_nothing(void **state)
{
    (void)state;
    Host *host = host_open(host_tiny_bundle(), RATE, (HostKind){0});
    host_set(host, "seed", 3);
    host_set(host, "texture", 0);
    host_set(host, "dry", -90);
    host_activate(host);
    Sound before = hear(host, 6400);
    host_restore(host, session);
    Sound after = hear(host, 5000);
    /* The sound begins with frame 1 somewhere in a block. */
    assert_int_equal(sound_differs(&before, &reference, 0, 0, 6400), 0);
    size_t found = 0;
    for (size_t at = 6400; at < 6464; at++)
        found += sound_differs(&after, &reference, at, 0, 5000) == 0;
    assert_int_equal(found, 1);
    sound_clear(&before);
    sound_clear(&after);
    host_close(host);
}

#define STATE                                                                                      \
    "@prefix state: <http://lv2plug.in/ns/ext/state#> .\n"                                         \
    "@prefix pset: <http://lv2plug.in/ns/ext/presets#> .\n"                                        \
    "@prefix lv2: <http://lv2plug.in/ns/lv2core#> .\n"                                             \
    "@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .\n"                                         \
    "<urn:test:state> a pset:Preset ; lv2:appliesTo <urn:brume:brume> ; state:state [ "

#define PORTS(number)                                                                              \
    " <urn:brume:brume#modelName> \"texture\" ] ; lv2:port [ lv2:symbol \"texture\" ; "            \
    "pset:value " number                                                                           \
    " ] , [ lv2:symbol \"seed\" ; pset:value 3.0 ] , [ lv2:symbol \"dry\" ; pset:value "           \
    "-90.0 ] .\n"

static void test_damaged_places(void **state)
{
    (void)state;
    const char *const places[] = {"\"\"", "\"YnJ1bWVrZXA=\"^^xsd:base64Binary",
                                  "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"^^xsd:base64Binary",
                                  "\"a text\"", "7"};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        char text[2000];
        snprintf(text, sizeof text, "%s<urn:brume:brume#place> %s ; %s", STATE, places[i],
                 PORTS("0.0"));
        Host *host = host_open(host_tiny_bundle(), RATE, (HostKind){0});
        host_restore_text(host, text);
        host_activate(host);
        assert_heard(host, 0);
        host_close(host);
    }
}

/* One second with the knob at `number`, after a session in which that was the class `saved`; NULL:
 * an older session, which does not say. */
static void export_class(const char *saved, const char *ports, float *sound, char *status)
{
    char text[2000], class_[100] = "";
    if (saved)
        snprintf(class_, sizeof class_, "<urn:brume:brume#class> \"%s\" ; ", saved);
    snprintf(text, sizeof text, "%s%s%s", STATE, class_, ports);
    Host *host = host_open(host_tiny_bundle(), RATE, (HostKind){0});
    host_restore_text(host, text);
    host_activate(host);
    host_export(host, sound, FRAMES, 512);
    snprintf(status, 2000, "%s", host_status(host));
    /* The knob moves, and back: it rules from now on. */
    host_set(host, "texture", 1);
    host_export(host, sound + 2 * FRAMES, FRAMES, 512);
    host_set(host, "texture", 0);
    host_run(host, 64);
    host_set(host, "freewheel", 0);
    host_run(host, 64);
    host_export(host, sound + 4 * FRAMES, FRAMES, 512);
    host_close(host);
}

static void test_classes_by_name(void **state)
{
    (void)state;
    enum { SIZE = 2 * FRAMES };
    float *usual = malloc(3 * SIZE * sizeof(float)), *other = malloc(3 * SIZE * sizeof(float)),
          *sound = malloc(3 * SIZE * sizeof(float));
    char status[2000];
    assert_true(usual && other && sound);
    export_class(NULL, PORTS("0.0"), usual, status); /* fire */
    export_class(NULL, PORTS("1.0"), other, status); /* rain */
    assert_memory_not_equal(usual, other, SIZE * sizeof(float));
    /* What it was: nothing to be said. */
    export_class("0 fire", PORTS("0.0"), sound, status);
    assert_memory_equal(sound, usual, SIZE * sizeof(float));
    assert_true(strstr(status, "Playing") == status);
    /* Rain was number 0 then. */
    export_class("0 rain", PORTS("0.0"), sound, status);
    assert_memory_equal(sound, other, SIZE * sizeof(float));
    assert_non_null(strstr(status, "\"rain\" was number 0 when the session was saved, and is 1"));
    assert_memory_equal(sound + 2 * SIZE, usual, SIZE * sizeof(float));
    /* It is missing. */
    export_class("0 snow", PORTS("0.0"), sound, status);
    assert_memory_equal(sound, usual, SIZE * sizeof(float));
    assert_non_null(strstr(status, "no class \"snow\""));
    assert_non_null(strstr(status, "\"fire\" plays instead"));
    /* None at all. */
    const char *const strange[] = {"", "rain", "-1 rain", "99999999999999999999 rain", "0", "0 "};
    for (size_t i = 0; i < sizeof strange / sizeof strange[0]; i++) {
        export_class(strange[i], PORTS("0.0"), sound, status);
        assert_memory_equal(sound, usual, SIZE * sizeof(float));
    }
    free(usual);
    free(other);
    free(sound);
}

/* Saved again while the knob stands there, a session still says which class it is. */
static void test_class_is_saved_again(void **state)
{
    (void)state;
    char folder[PATH_MAX], command[2 * PATH_MAX];
    snprintf(folder, sizeof folder, "%s/classes", root);
    Host *host = host_open(host_tiny_bundle(), RATE, (HostKind){0});
    host_restore_text(host, STATE "<urn:brume:brume#class> \"0 rain\" ; " PORTS("0.0"));
    for (int active = 0; active < 2; active++) {
        host_save(host, folder);
        snprintf(command, sizeof command, "grep -q 'brume#class> \"0 rain\"' '%s/state.ttl'",
                 folder);
        assert_int_equal(system(command), 0);
        host_activate(host);
        host_run(host, 64);
    }
    host_close(host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_goes_on),
        cmocka_unit_test(test_waits_to_be_heard),
        cmocka_unit_test(test_export_begins_at_the_start),
        cmocka_unit_test(test_what_does_not_fit),
        cmocka_unit_test(test_preset_moves_nothing),
        cmocka_unit_test(test_damaged_places),
        cmocka_unit_test(test_classes_by_name),
        cmocka_unit_test(test_class_is_saved_again),
    };
    return cmocka_run_group_tests(tests, save_session, remove_session);
}
