/* Models of the player's own: found in their folder, chosen, heard, refused, and there again when
 * the session is opened. */
#include "tests/host/host.h"
#include "tests/host/tune.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "tests/host/folder.h"

#include <sndfile.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A tune, two seconds in which its answer is asked for and comes, and the answer. */
enum { RATE = TUNE_RATE, SECOND = RATE, GO = TUNE_FRAMES, FRAMES = GO + 2 * RATE, BLOCK = 500 };

/* The player's folder holds mine.safetensors (hail, hiss, hum) and tunes.safetensors. */
static int folder_make(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(root));
    mkdir(at("models"), 0777);
    setenv("BRUME_MODELS", at("models"), 1);
    setenv("XDG_DATA_HOME", root, 1);
    shell("cp '%s/../other.safetensors' '%s'", host_tiny_bundle(), at("models/mine.safetensors"));
    shell("cp '%s/../tunes.safetensors' '%s'", host_tiny_bundle(), at("models/tunes.safetensors"));
    return 0;
}

static float *room(size_t frames)
{
    float *sound = calloc(2 * frames, sizeof *sound);
    assert_non_null(sound);
    return sound;
}

/* `brume render` of the same: (n, 2) frames. */
static void render(const char *class, size_t n, float *sound)
{
    const char *build = getenv("BUILD");
    SF_INFO info = {0};
    shell("'%s/brume' render --model mine --class %s --seconds 1 --seed 5 --rate %d --channels 2 "
          "--quiet -o '%s'",
          build ? build : "build", class, RATE, at("mine.wav"));
    SNDFILE *file = sf_open(at("mine.wav"), SFM_READ, &info);
    assert_non_null(file);
    assert_int_equal(sf_readf_float(file, sound, (sf_count_t)n), (sf_count_t)n);
    sf_close(file);
}

/* By its name, as `brume models` tells it: its classes are told, and it sounds as the command has
 * it. */
static void test_texture_by_name(void **state)
{
    (void)state;
    static const char *const classes[] = {"hail", "hiss", "hum"};
    float *wanted = room(SECOND), *got = room(SECOND);
    Host *host = host_open(host_tiny_bundle(), RATE, (HostKind){0});
    host_set(host, "seed", 5);
    host_activate(host);
    host_choose(host, "mine");
    host_settle(host);
    assert_string_equal(host_model(host), at("models/mine.safetensors"));
    for (int c = 0; c < 3; c++) {
        char told[100];
        snprintf(told, sizeof told, "Playing \"mine\", %s: 0 hail, 1 hiss, 2 hum", classes[c]);
        host_set(host, "texture", (float)c);
        host_export(host, got, SECOND, 1000);
        assert_string_equal(host_status(host), told);
        render(classes[c], SECOND, wanted);
        for (size_t i = 0; i < 2 * (size_t)SECOND; i++)
            assert_true(got[i] == wanted[i]);
        host_set(host, "freewheel", 0);
        host_run(host, 64);
    }
    host_set(host, "texture", 0);
    host_set(host, "morph_to", 1);
    host_set(host, "morph", 0.5F);
    host_run(host, 64);
    assert_non_null(strstr(host_status(host), "Playing \"mine\", hail to hiss: 0 hail"));
    host_close(host);
    free(wanted);
    free(got);
}

static Host *open_host(const char *bundle)
{
    Host *host = host_open(bundle, RATE, (HostKind){0});
    host_set(host, "mode", 1);
    host_set(host, "answer", 0);
    host_set(host, "dry", -90);
    return host;
}

/* Exports FRAMES frames of a tune that comes in and is answered on Go, the left channel into out;
 * at frame `change` another melody model is chosen, if there is one. */
static void export_change(Host *host, float *out, size_t change, const char *model)
{
    host_set(host, "freewheel", 1);
    for (size_t done = 0; done < FRAMES; done += BLOCK) {
        for (size_t i = 0; i < BLOCK; i++)
            host_in(host, 0)[i] = host_in(host, 1)[i] =
                done + i < TUNE_FRAMES ? tune_frame(done + i) : 0.0F;
        host_set(host, "go", done == GO);
        if (model && done == change)
            host_choose_melody(host, model);
        host_run(host, BLOCK);
        memcpy(out + done, host_out(host, 0), BLOCK * sizeof *out);
    }
}

static void end_export(Host *host)
{
    host_set(host, "freewheel", 0);
    memset(host_in(host, 0), 0, BLOCK * sizeof(float));
    memset(host_in(host, 1), 0, BLOCK * sizeof(float));
    host_run(host, 64);
}

static void export_answer(Host *host, float *out)
{
    export_change(host, out, 0, NULL);
    end_export(host);
}

static bool is_silent(const float *sound)
{
    size_t i = 0;
    while (i < FRAMES && sound[i] == 0)
        i++;
    return i == FRAMES;
}

/* The answer of the model of that name in the player's folder, where it is the default one. */
static void answer_as_default(const char *name, float *out)
{
    shell("cp '%s/%s.safetensors' '%s'", at("models"), name, at("models/melody.safetensors"));
    Host *host = open_host(host_tiny_bundle());
    host_activate(host);
    export_answer(host, out);
    host_close(host);
    shell("rm '%s'", at("models/melody.safetensors"));
}

static bool same(const float *a, const float *b)
{
    return memcmp(a, b, FRAMES * sizeof *a) == 0;
}

/* Where there was none, one is chosen by its name; and then the default one again, which is none.
 */
static void test_melody_by_name(void **state)
{
    (void)state;
    float *wanted = room(FRAMES), *got = room(FRAMES);
    answer_as_default("tunes", wanted);
    assert_false(is_silent(wanted));
    Host *host = open_host(host_tiny_bundle());
    host_activate(host);
    export_answer(host, got);
    assert_true(is_silent(got));
    assert_non_null(strstr(host_status(host), "no melody model that can be read"));
    assert_string_equal(host_melody(host), "");
    host_choose_melody(host, "tunes");
    host_settle(host);
    assert_string_equal(host_melody(host), at("models/tunes.safetensors"));
    assert_non_null(strstr(host_status(host), "Melodies are carried on by \"tunes\"."));
    export_answer(host, got);
    assert_true(same(got, wanted));
    host_deactivate(host);
    host_activate(host);
    export_answer(host, got);
    assert_true(same(got, wanted));
    host_choose_melody(host, "");
    host_settle(host);
    assert_null(strstr(host_status(host), "carried on by"));
    export_answer(host, got);
    assert_true(is_silent(got));
    host_close(host);
    free(wanted);
    free(got);
}

/* Beside the shipped one: another answer; what is refused changes nothing. */
static void test_melody_refused(void **state)
{
    (void)state;
    float *shipped = room(FRAMES), *wanted = room(FRAMES), *got = room(FRAMES);
    shell("head -c 100000 '%s' >'%s'", at("models/tunes.safetensors"), at("short.safetensors"));
    const char *const bad[][2] = {{at("short.safetensors"), "short.safetensors"},
                                  {at("nowhere.safetensors"), "nowhere.safetensors"},
                                  {at("models/mine.safetensors"), "give a melody model"},
                                  {"nobody knows it", "there is no model 'nobody knows it'"}};
    answer_as_default("tunes", wanted);
    Host *host = open_host(host_shipped_bundle());
    host_activate(host);
    host_run(host, 64);
    assert_string_equal(strrchr(host_melody(host), '/'), "/melody.safetensors");
    export_answer(host, shipped);
    assert_false(is_silent(shipped) || same(shipped, wanted));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        host_choose_melody(host, bad[i][0]);
        host_settle(host);
        if (!strstr(host_status(host), "The melody model was refused: ") ||
            !strstr(host_status(host), bad[i][1]))
            fail_msg("%s: the status is \"%s\"", bad[i][0], host_status(host));
        assert_non_null(strstr(host_log(host), bad[i][1]));
        assert_string_equal(strrchr(host_melody(host), '/'), "/melody.safetensors");
    }
    export_answer(host, got);
    assert_true(same(got, shipped));
    host_choose_melody(host, "tunes");
    host_settle(host);
    host_choose_melody(host, at("short.safetensors"));
    host_settle(host);
    assert_string_equal(strrchr(host_melody(host), '/'), "/tunes.safetensors");
    export_answer(host, got);
    assert_true(same(got, wanted));
    /* A melody model is no texture model; it says which is needed. */
    host_choose(host, "tunes");
    host_settle(host);
    assert_non_null(strstr(host_status(host), "give a texture model"));
    host_close(host);
    free(shipped);
    free(wanted);
    free(got);
}

/* Chosen in the middle of an answer, which goes on as it is; the next is the new model's. */
static void test_melody_meanwhile(void **state)
{
    (void)state;
    float *shipped = room(FRAMES), *wanted = room(FRAMES), *got = room(FRAMES);
    answer_as_default("tunes", wanted);
    Host *host = open_host(host_shipped_bundle());
    host_activate(host);
    export_answer(host, shipped);
    export_change(host, got, GO + RATE + RATE / 2, "tunes");
    end_export(host);
    assert_true(same(got, shipped));
    host_settle(host);
    assert_non_null(strstr(host_status(host), "carried on by \"tunes\""));
    export_answer(host, got);
    assert_true(same(got, wanted));
    host_close(host);
    free(shipped);
    free(wanted);
    free(got);
}

/* Both kinds at once; before it is active, while it is, and by another copy of the file. */
static void test_session(void **state)
{
    (void)state;
    float *wanted = room(FRAMES), *got = room(FRAMES);
    mkdir(at("elsewhere"), 0777);
    shell("cp '%s' '%s'", at("models/tunes.safetensors"), at("elsewhere/tunes.safetensors"));
    answer_as_default("tunes", wanted);
    Host *host = open_host(host_shipped_bundle());
    host_activate(host);
    host_save(host, at("plain"));
    host_choose_melody(host, at("elsewhere/tunes.safetensors"));
    host_choose(host, "mine");
    host_settle(host);
    host_save(host, at("session"));
    host_close(host);
    shell("grep -q 'stateVersion> \"2\"' '%s/state.ttl'", at("plain"));
    shell("grep -q 'stateVersion> \"3\"' '%s/state.ttl'", at("session"));
    for (int way = 0; way < 3; way++) {
        host = open_host(host_shipped_bundle());
        if (way == 1)
            host_activate(host);
        if (way == 2)
            shell("find '%s' '%s' -name 'tunes.safetensors' -delete", at("elsewhere"),
                  at("session"));
        host_restore(host, at("session"));
        host_activate(host);
        host_settle(host);
        assert_non_null(strstr(host_status(host), "Melodies are carried on by \"tunes\"."));
        assert_non_null(strstr(host_status(host), "Playing \"mine\""));
        assert_null(strstr(host_status(host), "missing"));
        export_answer(host, got);
        assert_true(same(got, wanted));
        /* One without a melody model: the default one again. */
        host_restore(host, at("plain"));
        host_settle(host);
        assert_null(strstr(host_status(host), "carried on by"));
        assert_string_equal(strrchr(host_melody(host), '/'), "/melody.safetensors");
        host_close(host);
    }
    free(wanted);
    free(got);
}

/* Saved in the middle of its answer, which goes on; but not with another model. */
static void test_place(void **state)
{
    (void)state;
    float *sound = room(FRAMES);
    Host *host = open_host(host_shipped_bundle());
    host_activate(host);
    host_choose_melody(host, "tunes");
    host_settle(host);
    export_change(host, sound, 0, NULL);
    host_save(host, at("amid"));
    host_close(host);
    shell("grep -q '#place>' '%s/state.ttl'", at("amid"));
    for (int other = 0; other < 2; other++) {
        if (other)
            shell("sed -i '/brume#melody/d' '%s/state.ttl'", at("amid"));
        host = open_host(host_shipped_bundle());
        host_restore(host, at("amid"));
        host_activate(host);
        host_run(host, 64);
        const bool begins_anew = strstr(host_status(host), "in the middle of a sound") != NULL;
        assert_int_equal(begins_anew, other);
        host_close(host);
    }
    free(sound);
}

/* The shipped one answers until it is back, and a session saved meanwhile forgets nothing. */
static void test_missing(void **state)
{
    (void)state;
    float *shipped = room(FRAMES), *got = room(FRAMES);
    shell("cp '%s' '%s'", at("models/tunes.safetensors"), at("lost.safetensors"));
    Host *host = open_host(host_shipped_bundle());
    host_activate(host);
    export_answer(host, shipped);
    host_choose_melody(host, at("lost.safetensors"));
    host_settle(host);
    host_save(host, at("lost"));
    host_close(host);
    shell("mv '%s' '%s'; find '%s' -name 'lost.safetensors' -delete", at("lost.safetensors"),
          at("found"), at("lost"));
    host = open_host(host_shipped_bundle());
    host_restore(host, at("lost"));
    host_activate(host);
    host_run(host, 64);
    assert_non_null(strstr(host_status(host), "The session's melody model \"lost\" is missing"));
    assert_non_null(strstr(host_status(host), "until then the default one answers"));
    export_answer(host, got);
    assert_true(same(got, shipped));
    host_save(host, at("lost-again"));
    host_close(host);
    shell("cp '%s' '%s'", at("found"), at("lost/lost.safetensors"));
    host = open_host(host_shipped_bundle());
    host_restore(host, at("lost-again"));
    host_activate(host);
    host_run(host, 64);
    assert_non_null(strstr(host_status(host), "Melodies are carried on by \"lost\"."));
    export_answer(host, got);
    assert_false(same(got, shipped));
    host_close(host);
    free(shipped);
    free(got);
}

/* Chosen at any time, live, among sessions that come and go: the last one chosen answers. */
static void test_many(void **state)
{
    (void)state;
    Host *host = open_host(host_tiny_bundle());
    host_activate(host);
    host_save(host, at("bare"));
    for (int i = 0; i < 60; i++) {
        host_choose_melody(host, i % 3 ? "tunes" : "");
        host_choose(host, i % 2 ? "mine" : "");
        if (i % 10 == 0)
            host_restore(host, at("bare"));
        host_set(host, "mode", (float)(i / 4 % 2));
        host_run(host, 64);
    }
    host_settle(host); /* its worker may have been too busy for some of them */
    host_choose_melody(host, "tunes");
    host_choose(host, "mine");
    host_settle(host);
    assert_non_null(strstr(host_status(host), "Melodies are carried on by \"tunes\"."));
    assert_non_null(strstr(host_status(host), "Playing \"mine\""));
    host_close(host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texture_by_name), cmocka_unit_test(test_melody_by_name),
        cmocka_unit_test(test_melody_refused),  cmocka_unit_test(test_melody_meanwhile),
        cmocka_unit_test(test_session),         cmocka_unit_test(test_place),
        cmocka_unit_test(test_missing),         cmocka_unit_test(test_many),
    };
    return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
