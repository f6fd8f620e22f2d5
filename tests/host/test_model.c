/* Models come and go: chosen by the player, named by sessions, missing, moved, hostile. */
#include "tests/host/host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "tests/host/folder.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RATE = 48000, FRAMES = RATE };

static const char *other_model(void)
{
    static char path[4300];
    snprintf(path, sizeof path, "%s/../other.safetensors", host_tiny_bundle());
    return path;
}

static int folder_make(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(root));
    setenv("XDG_DATA_HOME", root, 1);
    unsetenv("BRUME_MODELS");
    return 0;
}

static Host *open_host(HostKind kind)
{
    return host_open(host_tiny_bundle(), RATE, kind);
}

/* What an export of one second sounds like. */
static void export_second(Host *host, float *sound)
{
    host_export(host, sound, FRAMES, 1000);
    host_set(host, "freewheel", 0);
    host_run(host, 64);
}

static float *room(void)
{
    float *sound = malloc(2 * FRAMES * sizeof *sound);
    assert_non_null(sound);
    return sound;
}

static float loudest(const float *x, size_t n)
{
    float most = 0;
    for (size_t i = 0; i < n; i++)
        most = fmaxf(most, fabsf(x[i]));
    return most;
}

/* Whether it plays, give the machine two seconds. */
static bool plays(Host *host)
{
    host_pace_begin(host);
    for (int i = 0; i < 2 * HOST_SLOW * RATE / 256; i++) {
        host_run_paced(host, 256);
        if (loudest(host_out(host, 0), 256) > 0)
            return true;
    }
    return false;
}

/* Switched off in the block in which the model was handed over, it plays when switched on. */
static void test_choose_and_stop(void **state)
{
    (void)state;
    float *wanted = room(), *got = room();
    Host *host = open_host((HostKind){0});
    host_activate(host);
    host_choose(host, other_model());
    for (int blocks = 0; blocks < 3000 && !strstr(host_model(host), "/other."); blocks++) {
        host_run(host, 64);
        usleep(1000);
    }
    host_deactivate(host);
    host_activate(host);
    export_second(host, got);
    assert_non_null(strstr(host_status(host), "Playing \"other\""));
    host_close(host);
    host = open_host((HostKind){0});
    host_activate(host);
    host_choose(host, other_model());
    host_settle(host);
    export_second(host, wanted);
    assert_memory_equal(got, wanted, 2 * FRAMES * sizeof *got);
    host_close(host);
    free(wanted);
    free(got);
}

/* Another model plays, and nothing was silent on the way. */
static void test_choose(void **state)
{
    (void)state;
    float *before = room(), *after = room();
    Host *host = open_host((HostKind){0});
    host_activate(host);
    export_second(host, before);
    assert_non_null(strstr(host_status(host), "0 fire, 1 rain"));
    /* While freewheeling, so that a busy machine makes no gap of its own. */
    host_set(host, "freewheel", 1);
    host_choose(host, other_model());
    int silent = 0, blocks = 0, after_it = 0;
    for (; blocks < 5000 && after_it < 100; blocks++) {
        host_run(host, 128);
        silent += loudest(host_out(host, 0), 128) == 0.0F;
        after_it += strstr(host_status(host), "\"other\"") != NULL;
        usleep(1000);
    }
    assert_int_equal(silent, 0);
    assert_int_equal(after_it, 100);
    host_set(host, "freewheel", 0);
    assert_non_null(strstr(host_status(host), "Playing \"other\", hum: 0 hail, 1 hiss, 2 hum"));
    assert_string_equal(strrchr(host_model(host), '/'), "/other.safetensors");
    export_second(host, after);
    assert_memory_not_equal(before, after, 2 * FRAMES * sizeof *before);
    /* No path: the default model again. */
    host_choose(host, "");
    host_settle(host);
    assert_non_null(strstr(host_status(host), "0 fire, 1 rain"));
    export_second(host, after);
    assert_memory_equal(before, after, 2 * FRAMES * sizeof *before);
    host_close(host);
    free(before);
    free(after);
}

static void test_choose_many(void **state)
{
    (void)state;
    Host *host = open_host((HostKind){0});
    host_activate(host);
    for (int i = 0; i < 40; i++) {
        host_choose(host, i % 2 ? other_model() : "texture");
        host_run(host, 64);
    }
    host_settle(host);
    host_settle(host);
    assert_non_null(strstr(host_status(host), "Playing \"other\""));
    host_close(host);
}

static void test_refuse(void **state)
{
    (void)state;
    mkdir(at("folder"), 0777);
    mkfifo(at("pipe"), 0666);
    mkfifo(at("pipe.safetensors"), 0666);
    shell("echo 'This is no model.' >'%s'", at("text.safetensors"));
    shell(": >'%s'", at("empty.safetensors"));
    shell("head -c 20000 '%s' >'%s'", other_model(), at("short.safetensors"));
    shell("head -c 100 /dev/zero >'%s'", at("zero.safetensors"));
    shell("head -c 100 /dev/zero | tr '\\000' '\\377' >'%s'", at("huge.safetensors"));
    shell("sed 's/brume.texture/brume.terture/' '%s' >'%s'", other_model(), at("kind.safetensors"));
    const char *const bad[] = {"nowhere.safetensors", "folder",           "pipe",
                               "pipe.safetensors",    "text.safetensors", "empty.safetensors",
                               "short.safetensors",   "zero.safetensors", "huge.safetensors",
                               "kind.safetensors"};
    Host *host = open_host((HostKind){0});
    host_activate(host);
    host_settle(host);
    char model[4096];
    snprintf(model, sizeof model, "%s", host_model(host));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const double begin = host_seconds();
        host_choose(host, at(bad[i]));
        host_settle(host);
        assert_true(host_seconds() - begin < 2);
        if (!strstr(host_status(host), "refused") || !strstr(host_status(host), bad[i]))
            fail_msg("%s: the status is \"%s\"", bad[i], host_status(host));
        assert_non_null(strstr(host_log(host), bad[i]));
        assert_string_equal(host_model(host), model);
        assert_true(plays(host));
    }
    /* A path as long as none can be. */
    char path[5000];
    memset(path, 'x', sizeof path);
    path[0] = '/';
    path[sizeof path - 1] = '\0';
    host_choose(host, path);
    host_settle(host);
    assert_non_null(strstr(host_status(host), "less than 4096 bytes"));
    host_close(host);
}

/* Frames so long that the input that passes could not be as late: such a model is refused in that
 * mode alone, and the player is told. */
static void test_too_late_to_transform(void **state)
{
    (void)state;
    shell(
        "LC_ALL=C sed 's/:44100,/: 8000,/; s/:2048,/:4096,/; s/:20000\\.0,/: 3900.0,/' '%s' >'%s'",
        other_model(), at("tardy.safetensors"));
    Host *host = open_host((HostKind){0});
    host_set(host, "mode", 2);
    host_set(host, "dry", 0);
    host_activate(host);
    host_run(host, 128);
    for (int i = 1; i < HOST_SLOW && host_get(host, "latency") == 0; i++)
        host_settle(host);
    assert_true(host_get(host, "latency") > 0);
    host_choose(host, at("tardy.safetensors"));
    /* The generator's word about the model comes some time after the worker's. */
    for (int i = 0; i < 20 && !strstr(host_status(host), "seconds late"); i++)
        host_settle(host);
    assert_non_null(strstr(host_status(host), "Playing \"tardy\""));
    assert_non_null(strstr(host_status(host), "4 seconds late"));
    assert_true(host_get(host, "latency") == 0);
    /* The input passes at once, and nothing else is heard. */
    host_pace_begin(host);
    for (int block = 0; block < 800; block++) {
        for (int i = 0; i < 128; i++)
            host_in(host, 0)[i] = host_in(host, 1)[i] = 0.25F * sinf(0.1F * (float)(block + i));
        host_run_paced(host, 128);
        for (int i = 0; i < 128 && block > 600; i++)
            assert_true(host_out(host, 0)[i] == 0.25F * sinf(0.1F * (float)(block + i)));
    }
    /* As a texture it plays. */
    memset(host_in(host, 0), 0, 128 * sizeof(float));
    memset(host_in(host, 1), 0, 128 * sizeof(float));
    host_set(host, "mode", 0);
    host_pace_begin(host);
    float most = 0;
    for (int block = 0; block < 2000 && most == 0; block++) {
        host_run_paced(host, 128);
        most = loudest(host_out(host, 0), 128);
    }
    assert_true(most > 0);
    host_set(host, "mode", 2);
    host_choose(host, other_model());
    for (int i = 0; i < 20 && host_get(host, "latency") == 0; i++)
        host_settle(host);
    assert_true(host_get(host, "latency") > 0);
    host_close(host);
}

static void test_no_worker(void **state)
{
    (void)state;
    Host *host = open_host((HostKind){.no_worker = true, .no_options = true});
    assert_non_null(strstr(host_log(host), "http://lv2plug.in/ns/ext/worker#schedule"));
    assert_non_null(strstr(host_log(host), "http://lv2plug.in/ns/ext/options#options"));
    host_activate(host);
    host_choose(host, other_model());
    host_run(host, 64);
    assert_non_null(strstr(host_status(host), "no worker"));
    /* But a session's model is loaded, before and after it is active. */
    Host *source = open_host((HostKind){0});
    host_activate(source);
    host_choose(source, other_model());
    host_settle(source);
    host_save(source, at("no-worker"));
    host_close(source);
    host_restore(host, at("no-worker"));
    host_settle(host);
    assert_non_null(strstr(host_status(host), "Playing \"other\""));
    host_close(host);
    host = open_host((HostKind){.no_worker = true});
    host_restore(host, at("no-worker"));
    host_activate(host);
    host_run(host, 64);
    assert_non_null(strstr(host_status(host), "Playing \"other\""));
    host_close(host);
}

static void test_save_and_restore(void **state)
{
    (void)state;
    float *before = room(), *after = room();
    Host *host = open_host((HostKind){0});
    host_activate(host);
    host_choose(host, other_model());
    host_set(host, "texture", 2);
    host_set(host, "seed", 77);
    host_set(host, "width", 0.25F);
    host_settle(host);
    host_save(host, at("session"));
    export_second(host, before);
    host_close(host);
    for (int way = 0; way < 4; way++) {
        host = open_host((HostKind){0});
        if (way > 0)
            host_activate(host);
        host_restore(host, at("session")); /* before it is active, or while it is */
        if (way == 2)
            host_restore(host, at("session")); /* twice */
        host_activate(host);
        host_settle(host);
        if (way == 3) { /* and again, after a pause */
            host_deactivate(host);
            host_restore(host, at("session"));
            host_activate(host);
            host_settle(host);
        }
        assert_non_null(strstr(host_status(host), "Playing \"other\""));
        assert_float_equal(host_get(host, "seed"), 77, 0);
        export_second(host, after);
        assert_memory_equal(before, after, 2 * FRAMES * sizeof *before);
        host_close(host);
    }
    free(before);
    free(after);
}

/* Restored before it is active, it plays nothing else first. */
static void test_restored_from_the_first_frame(void **state)
{
    (void)state;
    float *before = room(), *after = room();
    Host *host = open_host((HostKind){0});
    host_activate(host);
    host_choose(host, other_model());
    host_settle(host);
    host_save(host, at("first"));
    export_second(host, before);
    host_close(host);
    host = open_host((HostKind){0});
    host_restore(host, at("first"));
    host_activate(host);
    host_export(host, after, FRAMES, 64);
    assert_memory_equal(before, after, 2 * FRAMES * sizeof *before);
    host_close(host);
    free(before);
    free(after);
}

static void test_restore_while_running(void **state)
{
    (void)state;
    Host *host = open_host((HostKind){0});
    host_activate(host);
    host_save(host, at("one"));
    host_choose(host, other_model());
    host_settle(host);
    host_save(host, at("two"));
    host_pace_begin(host);
    for (int i = 0; i < 300; i++) {
        if (i % 20 == 0)
            host_restore(host, at(i % 40 ? "one" : "two"));
        if (i % 7 == 0)
            host_save(host, at("busy"));
        host_run_paced(host, 128);
        for (int k = 0; k < 128; k++)
            assert_true(isfinite(host_out(host, 0)[k]));
    }
    host_restore(host, at("two"));
    host_settle(host);
    assert_non_null(strstr(host_status(host), "Playing \"other\""));
    host_close(host);
}

static void test_session_moves(void **state)
{
    (void)state;
    Host *host = open_host((HostKind){0});
    mkdir(at("home"), 0777);
    shell("cp '%s' '%s/other.safetensors'", other_model(), at("home"));
    host_activate(host);
    host_choose(host, at("home/other.safetensors"));
    host_settle(host);
    host_save(host, at("home/session"));
    host_close(host);
    /* With its session, to another folder. */
    shell("mv '%s' '%s'", at("home"), at("elsewhere"));
    host = open_host((HostKind){0});
    host_restore(host, at("elsewhere/session"));
    host_activate(host);
    host_run(host, 64);
    assert_non_null(strstr(host_status(host), "Playing \"other\""));
    host_close(host);
    /* Without its model; but a copy lies in the catalogue. */
    shell("find '%s' -name '*.safetensors' -delete", at("elsewhere"));
    mkdir(at("brume"), 0777);
    mkdir(at("brume/models"), 0777);
    shell("cp '%s' '%s'", other_model(), at("brume/models/other.safetensors"));
    host = open_host((HostKind){0});
    host_restore(host, at("elsewhere/session"));
    host_activate(host);
    host_run(host, 64);
    assert_non_null(strstr(host_status(host), "Playing \"other\""));
    assert_null(strstr(host_status(host), "missing"));
    host_close(host);
    shell("rm '%s'", at("brume/models/other.safetensors"));
}

static void test_model_is_missing(void **state)
{
    (void)state;
    float *usual = room(), *sound = room();
    shell("cp '%s' '%s'", other_model(), at("lost.safetensors"));
    Host *host = open_host((HostKind){0});
    host_activate(host);
    export_second(host, usual);
    host_choose(host, at("lost.safetensors"));
    host_settle(host);
    host_save(host, at("lost"));
    host_close(host);
    shell("mv '%s' '%s'; find '%s' -name 'lost.safetensors' -delete", at("lost.safetensors"),
          at("found"), at("lost"));
    /* It says what is missing, and the default model plays. */
    host = open_host((HostKind){0});
    host_restore(host, at("lost"));
    host_activate(host);
    host_run(host, 64);
    assert_non_null(strstr(host_status(host), "\"lost\" is missing"));
    assert_non_null(strstr(host_status(host), "lost.safetensors"));
    assert_non_null(strstr(host_status(host), "Playing \"texture\""));
    export_second(host, sound);
    assert_memory_equal(usual, sound, 2 * FRAMES * sizeof *usual);
    /* A session that is saved meanwhile forgets nothing. */
    host_save(host, at("lost-again"));
    host_close(host);
    /* It is put back where the session had it. */
    shell("cp '%s' '%s'", at("found"), at("lost/lost.safetensors"));
    host = open_host((HostKind){0});
    host_restore(host, at("lost-again"));
    host_activate(host);
    host_run(host, 64);
    assert_null(strstr(host_status(host), "missing"));
    assert_non_null(strstr(host_status(host), "Playing \"lost\""));
    host_close(host);
    free(usual);
    free(sound);
}

#define STATE                                                                                      \
    "@prefix state: <http://lv2plug.in/ns/ext/state#> .\n"                                         \
    "@prefix pset: <http://lv2plug.in/ns/ext/presets#> .\n"                                        \
    "@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .\n"                                         \
    "<urn:test:state> a pset:Preset ; <http://lv2plug.in/ns/lv2core#appliesTo> "                   \
    "<urn:brume:brume> ; state:state [ "

static void test_newer_state(void **state)
{
    (void)state;
    Host *host = open_host((HostKind){0});
    host_activate(host);
    host_restore_text(host, STATE "<urn:brume:brume#stateVersion> 7 ; "
                                  "<urn:brume:brume#soul> \"blue\" ] .\n");
    host_settle(host);
    assert_non_null(strstr(host_status(host), "newer Brume (version 7"));
    assert_non_null(strstr(host_status(host), "Playing \"texture\""));
    host_close(host);
}

static void test_strange_states(void **state)
{
    (void)state;
    const char *const strange[] = {
        STATE "<urn:brume:brume#stateVersion> \"one\" ; <urn:brume:brume#model> 5 ] .\n",
        STATE "<urn:brume:brume#stateVersion> -3 ; <urn:brume:brume#modelName> \"\" ] .\n",
        STATE "<urn:brume:brume#modelName> \"../../../etc/passwd\" ] .\n",
        STATE "<urn:brume:brume#modelName> \"nobody knows it\" ; <urn:brume:brume#modelHash> "
              "\"0000\" ] .\n",
        STATE "<urn:brume:brume#model> <file:///> ] .\n",
    };
    for (size_t i = 0; i < sizeof strange / sizeof strange[0]; i++) {
        Host *host = open_host((HostKind){0});
        host_activate(host);
        host_restore_text(host, strange[i]);
        host_settle(host);
        assert_non_null(strstr(host_status(host), "Playing \"texture\""));
        host_close(host);
    }
}

/* Another version of the default model. */
static void test_other_version(void **state)
{
    (void)state;
    Host *host = open_host((HostKind){0});
    host_activate(host);
    host_restore_text(host, STATE "<urn:brume:brume#stateVersion> 1 ; "
                                  "<urn:brume:brume#modelName> \"texture\" ; "
                                  "<urn:brume:brume#modelHash> \"00ff\" ] .\n");
    host_settle(host);
    assert_non_null(strstr(host_status(host), "another version of \"texture\""));
    assert_non_null(strstr(host_status(host), "Playing \"texture\""));
    host_close(host);
}

/* A bundle that lost its model: the input passes, and the status says why. */
static void test_no_default_model(void **state)
{
    (void)state;
    char bundle[4096];
    snprintf(bundle, sizeof bundle, "%s", at("bare.lv2"));
    shell("cp -rP '%s' '%s' && rm -r '%s/models' && ln -sf \"$(realpath '%s/brume.so')\" "
          "'%s/brume.so'",
          host_tiny_bundle(), bundle, bundle, host_tiny_bundle(), bundle);
    Host *host = host_open(bundle, RATE, (HostKind){0});
    host_activate(host);
    for (int i = 0; i < 64; i++)
        host_in(host, 0)[i] = (float)i / 64.0F;
    host_run(host, 64);
    assert_memory_equal(host_out(host, 0), host_in(host, 0), 64 * sizeof(float));
    assert_non_null(strstr(host_status(host), "missing"));
    assert_non_null(strstr(host_log(host), "missing"));
    /* Freewheeling does not hang; and a model can still be chosen. */
    host_set(host, "freewheel", 1);
    const double begin = host_seconds();
    host_run(host, 1024);
    assert_true(host_seconds() - begin < 2);
    host_set(host, "freewheel", 0);
    host_choose(host, other_model());
    host_settle(host);
    assert_non_null(strstr(host_status(host), "Playing \"other\""));
    host_close(host);
}

/* The status and the model are told when they are asked for. */
static void test_asked(void **state)
{
    (void)state;
    Host *host = open_host((HostKind){0});
    host_activate(host);
    host_run(host, 0); /* a block of no frames tells too */
    assert_non_null(strstr(host_status(host), "Playing"));
    assert_string_equal(strrchr(host_model(host), '/'), "/texture.safetensors");
    host_close(host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_asked),
        cmocka_unit_test(test_choose),
        cmocka_unit_test(test_choose_and_stop),
        cmocka_unit_test(test_choose_many),
        cmocka_unit_test(test_refuse),
        cmocka_unit_test(test_too_late_to_transform),
        cmocka_unit_test(test_no_worker),
        cmocka_unit_test(test_save_and_restore),
        cmocka_unit_test(test_restored_from_the_first_frame),
        cmocka_unit_test(test_restore_while_running),
        cmocka_unit_test(test_session_moves),
        cmocka_unit_test(test_model_is_missing),
        cmocka_unit_test(test_newer_state),
        cmocka_unit_test(test_strange_states),
        cmocka_unit_test(test_other_version),
        cmocka_unit_test(test_no_default_model),
    };
    return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
