#include "models/catalogue.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SUFFIX      ".safetensors"
#define MAX_MODELS  4096 /* files looked at, so that no folder makes us take memory without end */
#define NAMES_SHOWN 600

typedef struct Model {
    char *name;
    char *path;
    size_t order; /* of finding */
} Model;

typedef struct Models {
    Model *list;
    size_t count;
    bool short_of_memory;
} Models;

static bool suffix_has(const char *text)
{
    const size_t length = strlen(text), suffix = strlen(SUFFIX);
    return length >= suffix && strcmp(text + length - suffix, SUFFIX) == 0;
}

static void models_free(Models *models)
{
    for (size_t i = 0; i < models->count; i++) {
        free(models->list[i].name);
        free(models->list[i].path);
    }
    free(models->list);
}

static void model_add(Models *models, const char *folder, const char *file)
{
    char path[PATH_MAX];
    struct stat status;
    const int length = snprintf(path, sizeof path, "%s/%s", folder, file);
    if (length < 0 || (size_t)length >= sizeof path || stat(path, &status) < 0 ||
        !S_ISREG(status.st_mode))
        return;
    const size_t order = models->count;
    const Model model = {strndup(file, strlen(file) - strlen(SUFFIX)), strdup(path), order};
    if (!model.name || !model.path) {
        free(model.name);
        free(model.path);
        models->short_of_memory = true;
        return;
    }
    models->list[models->count++] = model;
}

static void folder_add(void *user, const char *folder)
{
    Models *models = user;
    DIR *dir = opendir(folder);
    if (!dir)
        return;
    for (const struct dirent *entry = readdir(dir); entry; entry = readdir(dir))
        if (models->count < MAX_MODELS && entry->d_name[0] != '.' && suffix_has(entry->d_name))
            model_add(models, folder, entry->d_name);
    closedir(dir);
}

/* Whoever is shown folders, one after the other. */
typedef struct Visitor {
    CatalogueFolder visit;
    void *user;
} Visitor;

/* Shows the folder "start" + "end"; passes over a path that is too long to exist. */
static void show(Visitor to, const char *start, size_t start_length, const char *end)
{
    char folder[PATH_MAX];
    const int length = start_length < sizeof folder ? (int)start_length : -1;
    if (length < 0)
        return;
    const int used = snprintf(folder, sizeof folder, "%.*s%s", length, start, end);
    if (used > 0 && (size_t)used < sizeof folder)
        to.visit(to.user, folder);
}

static void show_user_folders(Visitor to)
{
    const char *at = getenv("BRUME_MODELS");
    while (at && *at) {
        const size_t length = strcspn(at, ":");
        if (length)
            show(to, at, length, "");
        at += length + (at[length] == ':');
    }
    const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
    if (data && data[0] == '/') /* the XDG specification: a relative path is to be ignored */
        show(to, data, strlen(data), "/brume/models");
    else if (home && *home)
        show(to, home, strlen(home), "/.local/share/brume/models");
}

static void show_program_folders(Visitor to)
{
    char program[PATH_MAX];
    const ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    if (length <= 0)
        return;
    program[length] = '\0';
    const char *slash = strrchr(program, '/');
    if (!slash)
        return;
    show(to, program, (size_t)(slash - program), "/../models/weights");
    show(to, program, (size_t)(slash - program), "/../share/brume/models");
}

void catalogue_folders(const char *bundle, CatalogueFolder visit, void *user)
{
    const Visitor to = {visit, user};
    show_user_folders(to);
    if (bundle)
        show(to, bundle, strlen(bundle), "/models");
#ifdef BRUME_DATADIR
    visit(user, BRUME_DATADIR "/models");
#endif
    show_program_folders(to);
}

static int model_compare(const void *a, const void *b)
{
    const Model *left = a, *right = b;
    const int names = strcmp(left->name, right->name);
    if (names)
        return names;
    return left->order < right->order ? -1 : left->order > right->order;
}

/* All models of all folders, sorted by name, what was found first before what it hides. */
static int models_collect(Models *models, const char *bundle, Error *err)
{
    *models = (Models){calloc(MAX_MODELS, sizeof *models->list), 0, false};
    models->short_of_memory = !models->list;
    if (models->list)
        catalogue_folders(bundle, folder_add, models);
    if (models->short_of_memory) {
        models_free(models);
        return error_set(err, "memory is short for the list of models; close other programs");
    }
    qsort(models->list, models->count, sizeof *models->list, model_compare);
    return 0;
}

static bool model_hidden(const Models *models, size_t i)
{
    return i > 0 && strcmp(models->list[i].name, models->list[i - 1].name) == 0;
}

static int path_copy(const char *from, char *path, size_t room, Error *err)
{
    const size_t size = strlen(from) + 1;
    if (size > room)
        return error_set(err, "%.400s...: the path is longer than %zu bytes; move the file", from,
                         room);
    memcpy(path, from, size);
    return 0;
}

static int missing_report(const Models *models, const char *name, Error *err)
{
    char names[NAMES_SHOWN] = "";
    size_t used = 0;
    for (size_t i = 0; i < models->count && used < sizeof names; i++)
        if (!model_hidden(models, i))
            used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", used ? ", " : "",
                                     models->list[i].name);
    if (used >= sizeof names)
        memcpy(names + sizeof names - 4, "...", 4);
    return error_set(err,
                     "there is no model '%.80s'; there are: %s. Give one of these, the path of a "
                     "file, or set BRUME_MODELS to the folder that holds it",
                     name, used ? names : "none");
}

int catalogue_locate(const char *name_or_path, const char *bundle, char *path, size_t room,
                     Error *err)
{
    if (strchr(name_or_path, '/') || suffix_has(name_or_path)) {
        if (access(name_or_path, F_OK) < 0)
            return error_set(err, "%.400s: cannot be found (%s); check the path", name_or_path,
                             strerror(errno));
        return path_copy(name_or_path, path, room, err);
    }
    Models models;
    if (models_collect(&models, bundle, err) < 0)
        return -1;
    size_t i = 0;
    while (i < models.count && strcmp(models.list[i].name, name_or_path) != 0)
        i++;
    const int result = i < models.count ? path_copy(models.list[i].path, path, room, err)
                                        : missing_report(&models, name_or_path, err);
    models_free(&models);
    return result;
}

int catalogue_each(const char *bundle, CatalogueVisit visit, void *user, Error *err)
{
    Models models;
    if (models_collect(&models, bundle, err) < 0)
        return -1;
    for (size_t i = 0; i < models.count; i++)
        if (!model_hidden(&models, i))
            visit(user, models.list[i].name, models.list[i].path);
    models_free(&models);
    return 0;
}
