#include "plugin/status.h"

#include <string.h>

#define HOLD_SECONDS 10.0

static const char *const sentences[COMPLAINT_COUNT] = {
    [COMPLAINT_INPUT] =
        "NaN, infinity or an absurd level came in and was replaced by silence: look "
        "at what comes before this plugin. ",
    [COMPLAINT_CONTROL] = "A control is not a number, so its usual value is taken: set it again. ",
    [COMPLAINT_BLOCK] = "The host sends longer blocks than it promised; Brume plays on, but the "
                        "host's makers should know. ",
    [COMPLAINT_UNDERRUN] = "The sound ran dry for a moment (underrun): lower the steps, or close "
                           "what keeps the processor busy. ",
    [COMPLAINT_NO_WORKER] = "This host offers no worker, so another model cannot be loaded while "
                            "Brume plays: load a session that names the model. ",
    [COMPLAINT_WORKER_FULL] = "The host's worker is busy, so the model was not loaded: choose it "
                              "again. ",
    [COMPLAINT_PATH] = "What the host sent as the model is no path that can be used: choose a "
                       "file, with a path of less than 4096 bytes. ",
    [COMPLAINT_DEAF] =
        "The generator is too far behind to hear all that comes in: close what keeps "
        "the processor busy. ",
    [COMPLAINT_UNSURE] =
        "What came in is no melody that could be carried on (too short, silent, "
        "noise, speech or chords), so Brume stays silent: play one note at a time, "
        "for two seconds or more. ",
    [COMPLAINT_NO_MELODY] =
        "There is no melody model that can be read, so nothing is answered: put a whole "
        "melody.safetensors into the models of the bundle, or choose another as melody model. ",
    [COMPLAINT_TRANSFORM] = "What comes in cannot be transformed, for memory is short: close other "
                            "programs, then leave this mode and come back. ",
    [COMPLAINT_TARDY] =
        "The model's frames are so long that what it transforms would come more than "
        "4 seconds late, so it transforms nothing: choose another. ",
    [COMPLAINT_PLACE] =
        "The session was saved in the middle of a sound, but with another model, rate or settings, "
        "or it is damaged: so the sound begins at its start. ",
};

static void append_part(Status *status, const char *text, size_t n)
{
    if (n > STATUS_ROOM - 1 - status->length)
        n = STATUS_ROOM - 1 - status->length;
    memcpy(status->text + status->length, text, n);
    status->length += n;
    status->text[status->length] = '\0';
}

static void append(Status *status, const char *text)
{
    append_part(status, text, strlen(text));
}

static void rebuild(Status *status)
{
    status->length = 0;
    status->text[0] = '\0';
    for (int i = 0; i < COMPLAINT_COUNT; i++)
        if (status->left[i] > 0)
            append(status, sentences[i]);
    append(status, status->melody);
    append_part(status, status->model, status->named);
    if (status->named > 0)
        append(status, status->now);
    append(status, status->model + status->named);
    status->changed = true;
}

void status_reset(Status *status, double rate)
{
    memset(status, 0, sizeof *status);
    status->hold = (uint64_t)(HOLD_SECONDS * rate);
}

/* text, cut to `room` and terminated, at `at` of `to`; returns where it ends. */
static size_t copy(char *to, size_t room, size_t at, const char *text)
{
    size_t n = strlen(text);
    if (n > room - 1 - at)
        n = room - 1 - at;
    memcpy(to + at, text, n);
    to[at + n] = '\0';
    return at + n;
}

void status_model(Status *status, const char *text, size_t named)
{
    const size_t n = copy(status->model, sizeof status->model, 0, text);
    status->named = named < n ? named : n;
    rebuild(status);
}

void status_melody(Status *status, const char *text)
{
    copy(status->melody, sizeof status->melody, 0, text);
    rebuild(status);
}

void status_class(Status *status, const char *class_, const char *to)
{
    char now[STATUS_NOW_ROOM];
    size_t n = copy(now, sizeof now, 0, ", ");
    n = copy(now, sizeof now, n, class_);
    n = to ? copy(now, sizeof now, n, " to ") : n;
    copy(now, sizeof now, n, to ? to : "");
    if (!strcmp(now, status->now))
        return;
    copy(status->now, sizeof status->now, 0, now);
    rebuild(status);
}

void status_complain(Status *status, Complaint complaint)
{
    const bool new_ = status->left[complaint] == 0;
    status->left[complaint] = status->hold;
    if (new_)
        rebuild(status);
}

void status_advance(Status *status, uint32_t frames)
{
    bool ended = false;
    for (int i = 0; i < COMPLAINT_COUNT; i++)
        if (status->left[i] > 0) {
            status->left[i] = status->left[i] > frames ? status->left[i] - frames : 0;
            ended |= status->left[i] == 0;
        }
    if (ended)
        rebuild(status);
}
