/* Files that take their place by a rename: what a killed writer leaves is swept away, what another
 * one is writing never is, and what is no file of ours stays. */
#include "models/temporary.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[] = "/tmp/brume-temporary-XXXXXX";
static char place[64];

static bool is_there(const char *name)
{
    struct stat status;
    return lstat(name, &status) == 0;
}

/* How many entries the folder has that begin with `start`. */
static size_t count(const char *start)
{
    size_t found = 0;
    DIR *entries = opendir(folder);
    assert_non_null(entries);
    for (const struct dirent *entry; (entry = readdir(entries));)
        found += !strncmp(entry->d_name, start, strlen(start));
    closedir(entries);
    return found;
}

static void touch(const char *name, char path[128])
{
    snprintf(path, 128, "%s/%s", folder, name);
    const int fd = open(path, O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    close(fd);
}

/* A process that makes a file beside the place and waits to be killed. */
static pid_t begin_writer(void)
{
    int ready[2];
    char told, *name;
    assert_int_equal(pipe(ready), 0);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (temporary_create(place, &name) < 0 || write(ready[1], "y", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &told, 1), 1);
    close(ready[0]);
    return child;
}

static void end_writer(pid_t child)
{
    int status;
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
}

static void the_file_takes_its_place(void **state)
{
    (void)state;
    char *name, got[8] = "";
    const mode_t mask = umask(027);
    const int fd = temporary_create(place, &name);
    umask(mask);
    assert_true(fd >= 0);
    assert_true(is_there(name));
    assert_false(is_there(place));
    assert_int_equal(write(fd, "whole", 5), 5);
    assert_int_equal(temporary_commit(fd, name, place), 0);
    assert_int_equal(count(".model."), 0);
    struct stat status;
    assert_int_equal(stat(place, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0640);
    FILE *file = fopen(place, "rb");
    assert_non_null(file);
    assert_int_equal(fread(got, 1, sizeof got, file), 5);
    fclose(file);
    assert_string_equal(got, "whole");
}

static void what_cannot_take_its_place_goes(void **state)
{
    (void)state;
    char *name, inside[96];
    snprintf(inside, sizeof inside, "%s/taken", folder);
    assert_int_equal(mkdir(inside, 0700), 0);
    int fd = temporary_create(inside, &name);
    assert_true(fd >= 0);
    assert_int_equal(temporary_commit(fd, name, inside), EISDIR);
    assert_int_equal(count(".taken."), 0);
    fd = temporary_create(place, &name);
    assert_true(fd >= 0);
    temporary_discard(fd, name);
    assert_int_equal(count(".model."), 0);
    snprintf(inside, sizeof inside, "%s/nowhere/model", folder);
    assert_int_equal(temporary_create(inside, &name), -1);
    assert_int_equal(errno, ENOENT);
}

static void what_a_killed_writer_left_is_swept(void **state)
{
    (void)state;
    char *name;
    end_writer(begin_writer());
    assert_int_equal(count(".model."), 1);
    const int fd = temporary_create(place, &name);
    assert_true(fd >= 0);
    assert_int_equal(count(".model."), 1);
    assert_true(is_there(name));
    temporary_discard(fd, name);
    end_writer(begin_writer());
    temporary_sweep(place);
    assert_int_equal(count(".model."), 0);
}

static void what_another_writes_stays(void **state)
{
    (void)state;
    const pid_t child = begin_writer();
    char *name;
    temporary_sweep(place);
    assert_int_equal(count(".model."), 1);
    const int fd = temporary_create(place, &name);
    assert_true(fd >= 0);
    temporary_sweep(place); /* one's own, too */
    assert_int_equal(count(".model."), 2);
    assert_int_equal(temporary_commit(fd, name, place), 0);
    assert_int_equal(count(".model."), 1);
    end_writer(child);
    temporary_sweep(place);
    assert_int_equal(count(".model."), 0);
}

static void what_is_not_ours_stays(void **state)
{
    (void)state;
    static const char *const names[] = {".model.00beef.tmp.old", ".model.00bee.tmp",
                                        ".model.00-eef.tmp",     ".model.00beef.wav",
                                        ".models.00beef.tmp",    "model.00beef.tmp"};
    char path[128], link[128], fifo[128];
    snprintf(link, sizeof link, "%s/.model.000001.tmp", folder);
    snprintf(fifo, sizeof fifo, "%s/.model.000002.tmp", folder);
    touch("pointed-to", path);
    assert_int_equal(symlink(path, link), 0);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        touch(names[i], path);
    temporary_sweep(place);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        assert_int_equal(unlink(path), 0);
    }
    assert_int_equal(count("pointed-to"), 1);
    assert_true(is_there(link) && is_there(fifo));
    unlink(link);
    unlink(fifo);
}

/* Until the test ends, one way or the other. */
static void sweep_for_ever(void)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;)
        temporary_sweep(place);
}

/* While two processes sweep without end, everything that is written takes its place. */
static void writers_and_sweepers_do_not_meet(void **state)
{
    (void)state;
    pid_t sweepers[2];
    for (size_t i = 0; i < 2; i++) {
        sweepers[i] = fork();
        assert_true(sweepers[i] >= 0);
        if (sweepers[i] == 0)
            sweep_for_ever();
    }
    for (unsigned i = 0; i < 150; i++) {
        char *name;
        const int fd = temporary_create(place, &name);
        assert_true(fd >= 0);
        assert_int_equal(write(fd, &i, sizeof i), sizeof i);
        assert_int_equal(temporary_commit(fd, name, place), 0);
    }
    for (size_t i = 0; i < 2; i++)
        end_writer(sweepers[i]);
    unsigned last = 0;
    FILE *file = fopen(place, "rb");
    assert_non_null(file);
    assert_int_equal(fread(&last, sizeof last, 1, file), 1);
    fclose(file);
    assert_int_equal(last, 149);
    assert_int_equal(count(".model."), 0);
}

static int set_up(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(place, sizeof place, "%s/model", folder);
    return 0;
}

static int clean_up(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_file_takes_its_place),
        cmocka_unit_test(what_cannot_take_its_place_goes),
        cmocka_unit_test(what_a_killed_writer_left_is_swept),
        cmocka_unit_test(what_another_writes_stays),
        cmocka_unit_test(what_is_not_ours_stays),
        cmocka_unit_test(writers_and_sweepers_do_not_meet),
    };
    return cmocka_run_group_tests(tests, set_up, clean_up);
}
