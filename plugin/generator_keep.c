/* What a session keeps of what sounds: packed beside the thread, between two of its rounds, and
 * gone on with when it starts. A texture is taken up where it stood; an answer is made again from
 * its prompt, up to where it was. */
#include "plugin/generator_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE = 256, VERSION = 1, HASH = 64, VISITS = 50 };

static const char MARK[8] = "brumekep";

/* Between two looks at what is on its way. */
static const long VISIT_NS = 4000000;

/* An answer that has gone on for longer would take too long to make again. */
static const double MOST_ANSWER_SECONDS = 300.0;

static void pack_head(const Generator *generator, GeneratorKind kind, const SharedModel *model,
                      Packer *packer)
{
    pack_bytes(packer, MARK, sizeof MARK);
    pack_whole(packer, VERSION);
    pack_whole(packer, kind);
    pack_real(packer, generator->rate);
    pack_bytes(packer, shared_model_hash(model), HASH);
}

static bool pack_texture(const Generator *generator, Packer *packer)
{
    pack_head(generator, GENERATOR_TEXTURE, generator->model, packer);
    texture_settings_pack(&generator->settings, packer);
    return !playback_pack(generator->playback, lanes_due(generator->lanes), packer);
}

static bool pack_answer(const Generator *generator, Packer *packer)
{
    const uint64_t position = lanes_due(generator->lanes);
    if ((double)position > MOST_ANSWER_SECONDS * generator->rate)
        return false;
    pack_head(generator, GENERATOR_ANSWER, generator->reciting, packer);
    pack_whole(packer, position);
    pack_whole(packer, lanes_held(generator->lanes));
    recital_pack(generator->recital, packer);
    return true;
}

/* Whether something else than what the thread makes is heard, or will be soon. */
static bool on_its_way(const Generator *generator)
{
    return generator->request.there || !lanes_spare(generator->lanes);
}

/* The thread stands still from here, and steps aside for whoever waits for that. */
static void enter(Generator *generator)
{
    atomic_fetch_add(&generator->visitors, 1);
    pthread_mutex_lock(&generator->busy);
    atomic_fetch_sub(&generator->visitors, 1);
}

static void leave(Generator *generator)
{
    pthread_mutex_unlock(&generator->busy);
}

static bool pack(const Generator *generator, Packer *packer)
{
    if (generator->broken)
        return false;
    if (generator->source == SOURCE_TEXTURE && generator->playback)
        return pack_texture(generator, packer);
    return generator->source == SOURCE_ANSWER && generator->recital &&
           pack_answer(generator, packer);
}

bool generator_pack(Generator *generator, Packer *packer)
{
    if (!generator->started)
        return false;
    enter(generator);
    /* What fades over now will have done so in a moment, if the host plays. */
    for (int visit = 0; visit < VISITS && on_its_way(generator); visit++) {
        leave(generator);
        generator_sleep(VISIT_NS);
        enter(generator);
    }
    const bool packed = pack(generator, packer);
    leave(generator);
    return packed && !packer->failed;
}

/* Whether this generator can go on with it; -1 with a message if not. */
static int unpack_head(const Generator *generator, GeneratorKind kind, Unpacker *unpacker,
                       Error *err)
{
    char mark[sizeof MARK], hash[HASH];
    unpack_bytes(unpacker, mark, sizeof mark);
    const uint64_t version = unpack_whole(unpacker, UINT64_MAX);
    const uint64_t found = unpack_whole(unpacker, GENERATOR_ANSWER);
    const double rate = unpack_real(unpacker);
    unpack_bytes(unpacker, hash, sizeof hash);
    if (unpacker->failed || memcmp(mark, MARK, sizeof mark) || version < 1)
        return error_set(err, "it is damaged");
    if (version > VERSION)
        return error_set(err, "a newer Brume wrote it");
    if (found != kind)
        return error_set(err, "it was saved in another mode");
    if (rate != generator->rate)
        return error_set(err, "it was saved at %g Hz", rate);
    const SharedModel *model = kind == GENERATOR_ANSWER ? generator->melody : generator->model;
    if (!model || memcmp(hash, shared_model_hash(model), sizeof hash))
        return error_set(err, "it was saved with another model");
    return 0;
}

static int resume_texture(Generator *generator, Unpacker *unpacker, const TextureSettings *settings,
                          Error *err)
{
    TextureSettings saved;
    if (texture_settings_unpack(&saved, shared_model_texture(generator->model), unpacker))
        return error_set(err, "it is damaged");
    if (!texture_settings_same(&saved, settings))
        return error_set(err, "it was saved with another seed or other settings");
    if (playback_unpack(generator->playback, settings, unpacker))
        return error_set(err, "it is damaged");
    generator->resumed = true;
    return 0;
}

static int resume_answer(Generator *generator, Unpacker *unpacker, Error *err)
{
    Revival revival = {.there = true};
    const uint64_t most = (uint64_t)(MOST_ANSWER_SECONDS * generator->rate);
    revival.position = unpack_whole(unpacker, most);
    revival.wait = (uint32_t)unpack_whole(unpacker, most);
    if (recital_unpack(unpacker, &revival.settings, &revival.prompt, &revival.n, err))
        return -1;
    generator->revival = revival;
    return 0;
}

int generator_resume(Generator *generator, GeneratorKind kind, const void *bytes, size_t size,
                     const TextureSettings *settings, Error *err)
{
    Unpacker unpacker = {bytes, size, false};
    generator->resumed = false;
    reviving_clear(generator);
    if (kind == GENERATOR_ANSWER)
        generator_open_melody(generator);
    if (unpack_head(generator, kind, &unpacker, err))
        return -1;
    return kind == GENERATOR_TEXTURE ? resume_texture(generator, &unpacker, settings, err)
                                     : resume_answer(generator, &unpacker, err);
}

void reviving_clear(Generator *generator)
{
    free(generator->revival.prompt);
    generator->revival = (Revival){.there = false};
}

void reviving_await(Generator *generator)
{
    const uint64_t serial = ++generator->serial;
    generator->request.command = (Command){.kind = COMMAND_RESUME,
                                           .settings = generator->settings,
                                           .strength = generator->strength,
                                           .serial = serial};
    generator->request.there = true;
    generator->awaited = serial;
    lanes_hush(generator->lanes, serial);
    if (!generator->revival.there)
        return;
    generator_change_source(generator, SOURCE_ANSWER, NULL, NULL);
    generator->listens = generator->asked = true;
    lanes_hold(generator->lanes, serial, generator->revival.wait);
    atomic_store(&generator->said, GENERATOR_COMPOSES);
}

/* Passes over what was heard already. NULL when the thread ends, memory is short, or the model was
 * given up meanwhile for one that cannot be opened. */
static Recital *make_again(Generator *generator)
{
    const Revival *revival = &generator->revival;
    float passed[2 * PIECE];
    generator_open_melody(generator);
    if (!generator->melody)
        return NULL;
    Recital *recital =
        recital_create(shared_model_melody(generator->melody), revival->prompt, revival->n,
                       &revival->settings, 2, generator->rate, &generator->cancel, NULL);
    for (uint64_t left = revival->position; recital && left > 0;) {
        const size_t n = left < PIECE ? (size_t)left : PIECE;
        if (atomic_load(&generator->cancel) || recital_read(recital, passed, n, NULL)) {
            recital_destroy(recital);
            return NULL;
        }
        left -= n;
    }
    return recital;
}

int reviving_begin(Generator *generator, const Command *command)
{
    Recital *recital;
    do
        recital = make_again(generator);
    while (!recital && generator_forgive(generator));
    if (!recital && atomic_load(&generator->quit))
        return 0; /* the thread ends: it makes no difference */
    const uint64_t position = generator->revival.position;
    reviving_clear(generator);
    return generator_offer_answer(generator, recital, position, command->serial);
}
