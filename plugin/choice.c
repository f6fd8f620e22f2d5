#include "plugin/choice.h"

#include "models/catalogue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char suffix[] = ".safetensors";

static const char *const usual[SHARED_KINDS] = {
    [SHARED_TEXTURE] = "texture", [SHARED_MELODY] = "melody"};

/* What the status calls it. */
static const char *const called[SHARED_KINDS] = {
    [SHARED_TEXTURE] = "model", [SHARED_MELODY] = "melody model"};

/* A model's NAME is its file's name without the suffix. */
static void name_of(const char *path, char *name)
{
    const char *slash = strrchr(path, '/');
    snprintf(name, CHOICE_NAME, "%s", slash ? slash + 1 : path);
    const size_t n = strlen(name), end = sizeof suffix - 1;
    if (n > end && !strcmp(name + n - end, suffix))
        name[n - end] = '\0';
}

/* By path or NAME. NULL with a message. */
static SharedModel *open_model(const char *name_or_path, SharedKind kind, const char *bundle,
                               Error *err)
{
    char path[CHOICE_PATH];
    if (catalogue_locate(name_or_path, bundle, path, sizeof path, err))
        return NULL;
    return shared_model_open(path, kind, err);
}

/* Playing "texture": 0 bells, 1 birds, ... */
static void describe_texture(Verdict *verdict, const char *name)
{
    const TextureConfig *config = texture_model_config(shared_model_texture(verdict->model));
    size_t used = strlen(verdict->status);
    const int head =
        snprintf(verdict->status + used, sizeof verdict->status - used, "Playing \"%s\"", name);
    used += head > 0 ? (size_t)head : 0;
    verdict->named = used < sizeof verdict->status ? used : 0;
    for (size_t c = 0; c < config->denoiser.classes && used < sizeof verdict->status; c++) {
        const int n = snprintf(verdict->status + used, sizeof verdict->status - used, "%s%zu %s",
                               c ? ", " : ": ", c, config->classes[c]);
        used += n > 0 ? (size_t)n : 0;
    }
}

/* What plays or answers, after what is already in the status. */
static void describe(Verdict *verdict, const char *name)
{
    const size_t used = strlen(verdict->status);
    if (verdict->kind == SHARED_TEXTURE)
        describe_texture(verdict, name);
    else
        snprintf(verdict->status + used, sizeof verdict->status - used,
                 "Melodies are carried on by \"%s\". ", name);
}

/* The choice is this model from now on. The default model is known by name alone, so that a session
 * finds it on any computer. */
static void settle(Choice *choice, SharedModel *model, bool by_path)
{
    name_of(shared_model_path(model), choice->name);
    snprintf(choice->hash, sizeof choice->hash, "%s", shared_model_hash(model));
    snprintf(choice->path, sizeof choice->path, "%s", by_path ? shared_model_path(model) : "");
}

/* The default model of that kind: the texture's with a message if it is missing, the melody's
 * unopened. */
static void take_usual(Verdict *verdict, const char *bundle, Error *err)
{
    if (verdict->kind == SHARED_TEXTURE)
        verdict->model = open_model(usual[SHARED_TEXTURE], SHARED_TEXTURE, bundle, err);
    else
        verdict->usual = true;
}

static void judge_player(Choice *choice, const char *bundle, Verdict *verdict, bool *refused)
{
    static const char *const goes_on[SHARED_KINDS] = {
        [SHARED_TEXTURE] = "What played before goes on playing",
        [SHARED_MELODY] = "What answered before goes on answering. "};
    Error err = {""};
    const bool by_path = choice->path[0] != '\0';
    if (by_path)
        verdict->model = open_model(choice->path, choice->kind, bundle, &err);
    else
        take_usual(verdict, bundle, &err);
    *refused = !verdict->model && !verdict->usual;
    if (*refused)
        snprintf(verdict->status, sizeof verdict->status, "The %s was refused: %s. %s",
                 called[choice->kind], err.message, goes_on[choice->kind]);
    if (!verdict->model)
        return;
    settle(choice, verdict->model, by_path);
    describe(verdict, choice->name);
}

/* Another copy of the session's model, known by its contents, or else NULL. */
static SharedModel *find_copy(const Choice *choice, const char *bundle)
{
    if (!choice->name[0])
        return NULL;
    SharedModel *model = open_model(choice->name, choice->kind, bundle, NULL);
    if (model && choice->hash[0] && strcmp(choice->hash, shared_model_hash(model))) {
        shared_model_release(model);
        return NULL;
    }
    return model;
}

/* A session that stored a path. */
static void judge_path(Choice *choice, const char *bundle, Verdict *verdict, Error *err)
{
    char *to = verdict->status + strlen(verdict->status);
    const size_t room = sizeof verdict->status - strlen(verdict->status);
    verdict->model = shared_model_open(choice->path, choice->kind, err);
    if (!verdict->model)
        verdict->model = find_copy(choice, bundle);
    if (verdict->model) {
        if (choice->hash[0] && strcmp(choice->hash, shared_model_hash(verdict->model)))
            snprintf(to, room,
                     "The %s's file is not the one that the session was saved with, so "
                     "it may sound different. ",
                     called[choice->kind]);
        settle(choice, verdict->model, true);
        return;
    }
    char reason[sizeof err->message];
    snprintf(reason, sizeof reason, "%s", err->message);
    take_usual(verdict, bundle, err);
    snprintf(to, room,
             "The session's %s \"%s\" is missing: %s. Put it back and open the session "
             "again, or choose another%s. ",
             called[choice->kind], choice->name, reason,
             verdict->usual   ? "; until then the default one answers"
             : verdict->model ? "; until then the default model plays"
                              : "");
}

/* A session that plays a model of the catalogue: the default one, as a rule. Melody models are
 * stored by path. */
static void judge_name(Choice *choice, const char *bundle, Verdict *verdict, Error *err)
{
    char *to = verdict->status + strlen(verdict->status);
    const size_t room = sizeof verdict->status - strlen(verdict->status);
    const char *name = choice->name[0] ? choice->name : usual[choice->kind];
    verdict->model = open_model(name, choice->kind, bundle, err);
    if (verdict->model) {
        if (choice->hash[0] && strcmp(choice->hash, shared_model_hash(verdict->model)))
            snprintf(to, room,
                     "The session was saved with another version of \"%s\", so it may "
                     "sound different. ",
                     name);
        settle(choice, verdict->model, false);
        return;
    }
    char reason[sizeof err->message];
    snprintf(reason, sizeof reason, "%s", err->message);
    if (strcmp(name, usual[choice->kind]))
        take_usual(verdict, bundle, err);
    snprintf(to, room, "The %s \"%s\" is missing: %s%s. ", called[choice->kind], name, reason,
             verdict->usual   ? "; until it is back the default one answers"
             : verdict->model ? "; until it is back the default model plays"
                              : "");
}

/* A class's number in the model, or -1. */
static long find_class(const TextureConfig *config, const char *name)
{
    for (size_t c = 0; c < config->denoiser.classes; c++)
        if (!strcmp(config->classes[c], name))
            return (long)c;
    return -1;
}

/* The class that a knob stood for: where it has another number now, or is missing, the player is
 * told. */
static void judge_class(const char *saved, Verdict *verdict, ClassPin *pin)
{
    const TextureConfig *config = texture_model_config(shared_model_texture(verdict->model));
    char *to = verdict->status + strlen(verdict->status), *name;
    const size_t room = sizeof verdict->status - strlen(verdict->status);
    const unsigned long number = strtoul(saved, &name, 10);
    if (name == saved || *name++ != ' ' || number >= TEXTURE_MAX_CLASSES)
        return;
    const long class_ = find_class(config, name);
    const size_t last = config->denoiser.classes - 1;
    const size_t instead = number < last ? number : last;
    if (class_ < 0)
        snprintf(to, room,
                 "The model has no class \"%s\", which the session was saved with; \"%s\" plays "
                 "instead. ",
                 name, config->classes[instead]);
    else if ((size_t)class_ != number) {
        snprintf(to, room, "\"%s\" was number %lu when the session was saved, and is %ld now. ",
                 name, number, class_);
        *pin = (ClassPin){.there = true, .number = number, .class_ = (size_t)class_};
    }
}

static void judge_session(Choice *choice, const char *bundle, Verdict *verdict, bool *refused)
{
    Error err = {""};
    const bool is_texture = choice->kind == SHARED_TEXTURE;
    if (choice->version > CHOICE_VERSION && is_texture)
        snprintf(verdict->status, sizeof verdict->status,
                 "The session was saved by a newer Brume (version %d of what is stored; this one "
                 "knows %d), so something of it may be missing: install that Brume. ",
                 choice->version, CHOICE_VERSION);
    if (choice->path[0])
        judge_path(choice, bundle, verdict, &err);
    else if (choice->name[0] || is_texture)
        judge_name(choice, bundle, verdict, &err);
    else
        take_usual(verdict, bundle, &err);
    *refused = !verdict->model && !verdict->usual;
    if (verdict->model) {
        char name[CHOICE_NAME];
        name_of(shared_model_path(verdict->model), name);
        for (size_t k = 0; k < CLASS_KNOBS && is_texture; k++)
            judge_class(choice->classes[k], verdict, &verdict->pins[k]);
        describe(verdict, name);
    }
}

Verdict *choice_judge(Choice *choice, const char *bundle, bool *refused)
{
    Verdict *verdict = calloc(1, sizeof *verdict);
    *refused = !verdict;
    if (!verdict)
        return NULL;
    verdict->kind = choice->kind;
    if (choice->session)
        judge_session(choice, bundle, verdict, refused);
    else
        judge_player(choice, bundle, verdict, refused);
    if (verdict->model)
        verdict->gift = shared_model_keep(verdict->model);
    return verdict;
}

int choice_melody(const char *bundle, char *path, Error *err)
{
    return catalogue_locate(usual[SHARED_MELODY], bundle, path, CHOICE_PATH, err);
}

void verdict_destroy(Verdict *verdict)
{
    if (!verdict)
        return;
    shared_model_release(verdict->gift);
    shared_model_release(verdict->model);
    free(verdict);
}
