/* The search for models, in folders made for the test: the environment is set so that no model of
 * the user's own is seen. */
#include "models/catalogue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[] = "/tmp/brume-catalogue-XXXXXX";

/* root + "/" + name, in one of a few buffers. */
static const char *at(const char *name)
{
    static char paths[4][PATH_MAX];
    static unsigned turn;
    char *path = paths[turn++ % 4];
    snprintf(path, PATH_MAX, "%s/%s", root, name);
    return path;
}

static void file_make(const char *name)
{
    char command[2 * PATH_MAX];
    snprintf(command, sizeof command, "mkdir -p \"$(dirname '%s')\" && : >'%s'", at(name),
             at(name));
    assert_int_equal(system(command), 0);
}

static int folders_make(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(root));
    file_make("first/both.safetensors");
    file_make("first/own.safetensors");
    file_make("first/.hidden.safetensors");
    file_make("first/.own.safetensors.00beef.tmp");
    file_make("first/notes.txt");
    file_make("first/folder.safetensors/x");
    file_make("second/both.safetensors");
    file_make("second/zoo.safetensors");
    file_make("data/brume/models/both.safetensors");
    file_make("data/brume/models/data.safetensors");
    file_make("home/.local/share/brume/models/home.safetensors");
    file_make("bundle/models/bundled.safetensors");
    file_make("bundle/models/data.safetensors");
    return 0;
}

static int folders_remove(void **state)
{
    (void)state;
    char command[PATH_MAX];
    snprintf(command, sizeof command, "rm -rf '%s'", root);
    return system(command);
}

static int environment_set(void **state)
{
    (void)state;
    char folders[PATH_MAX];
    snprintf(folders, sizeof folders, ":%s/absent:%s/first::%s/second:", root, root, root);
    return setenv("BRUME_MODELS", folders, 1) || setenv("XDG_DATA_HOME", at("data"), 1) ||
           setenv("HOME", at("home"), 1);
}

static void located(const char *name, const char *bundle, const char *expected)
{
    char path[PATH_MAX];
    Error err = {""};
    if (catalogue_locate(name, bundle, path, sizeof path, &err) < 0)
        fail_msg("%s", err.message);
    assert_string_equal(path, expected);
}

static void missed(const char *name, const char *bundle, const char *expected)
{
    char path[PATH_MAX] = "as before";
    Error err = {""};
    assert_int_equal(catalogue_locate(name, bundle, path, sizeof path, &err), -1);
    if (!strstr(err.message, expected))
        fail_msg("'%s' where '%s' was expected", err.message, expected);
    assert_string_equal(path, "as before");
    assert_int_equal(catalogue_locate(name, bundle, path, sizeof path, NULL), -1);
}

static void names_are_found_in_order(void **state)
{
    (void)state;
    located("both", NULL, at("first/both.safetensors"));
    located("zoo", NULL, at("second/zoo.safetensors"));
    located("data", at("bundle"), at("data/brume/models/data.safetensors"));
    located("bundled", at("bundle"), at("bundle/models/bundled.safetensors"));
    missed("bundled", NULL, "there is no model 'bundled'");
    unsetenv("BRUME_MODELS");
    located("both", NULL, at("data/brume/models/both.safetensors"));
    setenv("XDG_DATA_HOME", "", 1);
    located("home", NULL, at("home/.local/share/brume/models/home.safetensors"));
    setenv("XDG_DATA_HOME", "not/absolute", 1);
    located("home", NULL, at("home/.local/share/brume/models/home.safetensors"));
    located("data", at("bundle"), at("bundle/models/data.safetensors"));
}

static void paths_are_taken_as_they_are(void **state)
{
    (void)state;
    located(at("second/both.safetensors"), NULL, at("second/both.safetensors"));
    located(at("first/notes.txt"), NULL, at("first/notes.txt"));
    missed(at("first/absent.safetensors"), NULL, "No such file");
    missed("own.safetensors", NULL, "own.safetensors: cannot be found");
    missed("first/own", NULL, "first/own: cannot be found");
}

static void missing_names_list_what_there_is(void **state)
{
    (void)state;
    unsetenv("XDG_DATA_HOME");
    missed("nothing", at("bundle"), "no model 'nothing'; there are: ");
    missed("nothing", at("bundle"), "both, bundled, data, home, own, zoo");
    missed("folder", NULL, "no model 'folder'");
    missed(".hidden", NULL, "no model '.hidden'");
    missed("", NULL, "no model ''");
    unsetenv("BRUME_MODELS");
    missed("own", NULL, "home");
}

static void long_lists_keep_the_mend(void **state)
{
    (void)state;
    char command[PATH_MAX];
    snprintf(command, sizeof command,
             "mkdir '%s/many' && cd '%s/many' && touch $(seq -f model-number-%%g.safetensors 200)",
             root, root);
    assert_int_equal(system(command), 0);
    setenv("BRUME_MODELS", at("many"), 1);
    missed("nothing", NULL, "...");
    missed("nothing", NULL, "set BRUME_MODELS to the folder that holds it");
}

static void small_rooms_are_refused(void **state)
{
    (void)state;
    char path[PATH_MAX];
    const char *expected = at("first/own.safetensors");
    Error err = {""};
    assert_int_equal(catalogue_locate("own", NULL, path, strlen(expected), &err), -1);
    assert_non_null(strstr(err.message, "longer than"));
    assert_int_equal(catalogue_locate("own", NULL, path, strlen(expected) + 1, &err), 0);
    assert_int_equal(catalogue_locate(expected, NULL, path, strlen(expected), &err), -1);
}

typedef struct Seen {
    char text[4096]; /* "name=path\n" of those below root */
    char last[256];
} Seen;

static void see(void *user, const char *name, const char *path)
{
    Seen *seen = user;
    assert_true(strcmp(seen->last, name) < 0);
    snprintf(seen->last, sizeof seen->last, "%s", name);
    if (strncmp(path, root, strlen(root)) == 0) {
        const size_t used = strlen(seen->text);
        snprintf(seen->text + used, sizeof seen->text - used, "%s=%s\n", name, path + strlen(root));
    }
}

static void each_name_comes_once(void **state)
{
    (void)state;
    Seen seen = {"", ""};
    Error err;
    assert_int_equal(catalogue_each(at("bundle"), see, &seen, &err), 0);
    assert_string_equal(seen.text, "both=/first/both.safetensors\n"
                                   "bundled=/bundle/models/bundled.safetensors\n"
                                   "data=/data/brume/models/data.safetensors\n"
                                   "own=/first/own.safetensors\n"
                                   "zoo=/second/zoo.safetensors\n");
}

/* A name in ../models/weights, seen from this program's folder. */
static void the_program_s_folder_is_searched(void **state)
{
    (void)state;
    char program[PATH_MAX], command[2 * PATH_MAX];
    const ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    assert_true(length > 0);
    program[length] = '\0';
    file_make("models/weights/shipped.safetensors");
    file_make("share/brume/models/installed.safetensors");
    snprintf(
        command, sizeof command,
        "cd '%s' && mkdir bin && cp '%s' bin/copy && bin/copy shipped && bin/copy installed && "
        "! bin/copy zoo",
        root, program);
    unsetenv("BRUME_MODELS");
    assert_int_equal(system(command), 0);
}

int main(int argc, char **argv)
{
    if (argc == 2) { /* run by the_program_s_folder_is_searched */
        char path[PATH_MAX];
        return catalogue_locate(argv[1], NULL, path, sizeof path, NULL) < 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(names_are_found_in_order, environment_set),
        cmocka_unit_test_setup(paths_are_taken_as_they_are, environment_set),
        cmocka_unit_test_setup(missing_names_list_what_there_is, environment_set),
        cmocka_unit_test_setup(long_lists_keep_the_mend, environment_set),
        cmocka_unit_test_setup(small_rooms_are_refused, environment_set),
        cmocka_unit_test_setup(each_name_comes_once, environment_set),
        cmocka_unit_test_setup(the_program_s_folder_is_searched, environment_set),
    };
    return cmocka_run_group_tests(tests, folders_make, folders_remove);
}
