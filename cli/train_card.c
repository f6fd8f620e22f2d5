#include "cli/train_card.h"

#include "models/safetensors.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A text that grows; `failed` once memory ran out. */
typedef struct Text {
    char *bytes;
    size_t length;
    int failed;
} Text;

static void append(Text *text, const char *word)
{
    const size_t n = strlen(word);
    char *bigger = realloc(text->bytes, text->length + n + 1);
    if (!bigger) {
        text->failed = 1;
        return;
    }
    memcpy(bigger + text->length, word, n + 1);
    text->bytes = bigger;
    text->length += n;
}

/* Recordings on one side of the split, as "class/name, class/name". */
typedef struct Listing {
    Text text;
    int held_out;
} Listing;

static void list(void *user, const char *class_name, const char *recording, int held_out)
{
    Listing *listing = user;
    const bool end = held_out == 2;
    if (!end && held_out != listing->held_out)
        return;
    append(&listing->text, listing->text.length ? ", " : "");
    append(&listing->text, class_name);
    append(&listing->text, "/");
    append(&listing->text, recording);
    if (end)
        append(&listing->text, listing->held_out ? " (its end)" : " (but its end)");
}

char *train_card_past(const char *from)
{
    Text text = {NULL, 0, 0};
    const char *base = strrchr(from, '/');
    append(&text, base ? base + 1 : from);
    Safetensors *file = safetensors_open(from, NULL);
    const char *training = file ? safetensors_metadata(file, "training") : NULL;
    const char *before = file ? safetensors_metadata(file, "from") : NULL;
    if (training) {
        append(&text, ": ");
        append(&text, training);
    }
    if (before) {
        append(&text, "; from ");
        append(&text, before);
    }
    safetensors_destroy(file);
    if (text.failed)
        free(text.bytes);
    return text.failed ? NULL : text.bytes;
}

int train_card_save(const TextureModel *model, const CardOptions *options, const TrainedOn *trained,
                    const char *path, Error *err)
{
    const TextureProgress *p = &trained->progress;
    char training[512], loss[64] = "none held out";
    snprintf(training, sizeof training,
             "%zu steps of %zu, %.2f hours, seed %" PRId64 ", hold-out %g; %zu recordings, %.1f "
             "minutes",
             p->step, trained->steps, p->seconds / 3600.0, trained->seed, trained->holdout,
             trained->found.used, trained->found.seconds / 60.0);
    if (!isnan(p->best))
        snprintf(loss, sizeof loss, "%.4f at step %zu", p->best, p->best_step);
    Listing used = {{NULL, 0, 0}, 0}, held_out = {{NULL, 0, 0}, 1};
    corpus_each(trained->corpus, list, &used);
    corpus_each(trained->corpus, list, &held_out);
    char *past = trained->from ? train_card_past(trained->from) : NULL;
    size_t lines = 7;
    TextureCardLine card[9] = {
        {"licence", options->licence ? options->licence : "not stated"},
        {"sources", options->sources ? options->sources : "not stated"},
        {"training", training},
        {"held_out_loss", loss},
        {"recordings", used.text.bytes ? used.text.bytes : ""},
        {"recordings_held_out", held_out.text.bytes ? held_out.text.bytes : "none"},
        {"made_with", "brume " BRUME_VERSION},
    };
    if (trained->measured)
        card[lines++] = (TextureCardLine){"measured", trained->measured};
    if (trained->from)
        card[lines++] = (TextureCardLine){"from", past};
    const int failed = used.text.failed || held_out.text.failed || (trained->from && !past)
                           ? error_set(err, "out of memory for the model card")
                           : texture_model_save(model, card, lines, 1, path, err);
    free(past);
    free(used.text.bytes);
    free(held_out.text.bytes);
    return failed;
}
