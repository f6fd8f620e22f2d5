/* Memory that runs out, and threads that the system refuses: what creates and loads things is run
 * with its first allocation failing, then its second, and so on until none is left to fail. Each
 * time it says so in a message, or does without; nothing crashes, and no block is left over. */
#include "dsp/random.h"
#include "dsp/texture_copies.h"
#include "dsp/texture_distance.h"
#include "models/corpus.h"
#include "models/melody_model.h"
#include "models/midi.h"
#include "models/note_trainer.h"
#include "models/playback.h"
#include "models/predictor.h"
#include "models/predictor_trainer.h"
#include "models/recital.h"
#include "models/texture_past.h"
#include "models/texture_trainer.h"
#include "models/transform_playback.h"
#include "plugin/generator.h"
#include "plugin/shared_model.h"
#include "tests/faults/allocations.h"
#include "tests/unit/small_texture.h"

#include <lv2/core/lv2.h>
#include <lv2/log/log.h>
#include <lv2/urid/urid.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { BANDS = 48, FRAMES = 64, NOTES = 24, HEARD = 64, CLIP = 16384 };

static char folder[64], texture_path[128], melody_path[128], other_path[128];
static TextureModel *texture;
static MelodyModel *melody;

static int open_texture(Error *err)
{
    TextureModel *model = texture_model_open(texture_path, err);
    texture_model_destroy(model);
    return model ? 0 : -1;
}

static int open_melody(Error *err)
{
    MelodyModel *model = melody_model_open(melody_path, err);
    melody_model_destroy(model);
    return model ? 0 : -1;
}

static int open_shared(Error *err)
{
    SharedModel *model = shared_model_open(texture_path, SHARED_TEXTURE, err);
    shared_model_release(model);
    return model ? 0 : -1;
}

static int save_texture(Error *err)
{
    return texture_model_save(texture, NULL, 0, 1, other_path, err);
}

static int save_melody(Error *err)
{
    return melody_model_save(melody, NULL, 0, true, other_path, err);
}

static int play_texture(Error *err)
{
    const TextureSettings settings = small_texture_settings(1);
    float sound[2 * HEARD];
    Playback *playback = playback_create(texture, &settings, 2, 44100.0, 2, NULL, err);
    const int failed = !playback || playback_read(playback, sound, HEARD, err);
    playback_destroy(playback);
    return failed ? -1 : 0;
}

static int transform(Error *err)
{
    const TransformSettings settings = {small_texture_settings(1), 0.5f};
    TransformPlayback *playback =
        transform_playback_create(texture, &settings, 2, 44100.0, NULL, err);
    transform_playback_destroy(playback);
    return playback ? 0 : -1;
}

static int play_melody(Error *err)
{
    Predictor *predictor =
        predictor_create(melody_model_samples(melody), melody_model_sample_weights(melody), err);
    PredictorState *state = predictor ? predictor_state_create(predictor, true, err) : NULL;
    NoteDecoder *decoder = state ? note_decoder_create(melody_model_notes(melody),
                                                       melody_model_note_weights(melody), err)
                                 : NULL;
    note_decoder_destroy(decoder);
    predictor_state_destroy(state);
    predictor_destroy(predictor);
    return decoder ? 0 : -1;
}

static int compare(Error *err)
{
    enum { LENGTH = 4 * COCHLEA_RATE };
    static float noise[LENGTH];
    random_gaussian(1, 1, 0, noise, LENGTH);
    TextureDistance distance;
    TextureCopies copies;
    TextureEar *ear = texture_ear_create(err);
    TextureSound *sound = ear ? texture_sound_create(ear, noise, LENGTH, err) : NULL;
    const TextureSound *const sounds[] = {sound, sound};
    const int failed = !sound || texture_distance(sounds, 2, sounds, 1, &distance, err) ||
                       texture_copies(sounds, 1, sounds, 1, NULL, 0, &copies, err);
    texture_sound_destroy(sound);
    texture_ear_destroy(ear);
    return failed ? -1 : 0;
}

/* Silence: it is refused, but only after all that is needed to hear that was there. */
static int listen(Error *err)
{
    static const float silence[32000];
    const ContinuationSettings settings = continuation_defaults();
    Error why = {""};
    Recital *recital = recital_create(melody, silence, 32000, &settings, 2, 44100.0, NULL, &why);
    assert_null(recital);
    const int failed = !strstr(why.message, "silen") && !strstr(why.message, "melody");
    return failed ? error_set(err, "%s", why.message) : 0;
}

static int generate(Error *err)
{
    const TextureSettings settings = small_texture_settings(1);
    SharedModel *model = shared_model_open(texture_path, SHARED_TEXTURE, err);
    if (!model)
        return -1;
    Generator *generator = generator_create(44100.0, model, NULL, &settings, err);
    if (!generator)
        shared_model_release(model);
    return !generator ? -1 : (generator_destroy(generator), 0);
}

/* Only the thread can be refused: what it allocates itself comes after generator_start. */
static int start_thread(Error *err)
{
    const TextureSettings settings = small_texture_settings(1);
    Generator *generator = generator_create(44100.0, NULL, NULL, &settings, err);
    const int failed = !generator || generator_start(generator, err);
    generator_destroy(generator);
    return failed ? -1 : 0;
}

static int fill_corpus(Corpus *corpus, Error *err)
{
    static float values[FRAMES * BANDS];
    for (size_t i = 0; i < FRAMES * BANDS; i++)
        values[i] = -0.01f * (float)(i * i % 97);
    for (size_t c = 0; c < 2; c++)
        if (corpus_class(corpus, c ? "fast" : "slow", err) != c ||
            corpus_add(corpus, c, c ? "a" : "b", CORPUS_MONO, values, FRAMES, err))
            return -1;
    return corpus_split(corpus, 0.2, 1, err);
}

static TextureConfig trained_config(void)
{
    return (TextureConfig){.rate = 16000,
                           .frame = 256,
                           .linear = 40,
                           .upper = 8,
                           .top = 7500.0,
                           .denoiser = {.bands = BANDS,
                                        .channels = 8,
                                        .condition = 16,
                                        .classes = 2,
                                        .blocks = 1,
                                        .dilations = {1},
                                        .past = TEXTURE_PAST_VALUES,
                                        .refiner = {.channels = 4, .blocks = 1, .stride = 4}},
                           .prediction = PREDICTION_V,
                           .schedule = SCHEDULE_COSINE,
                           .window = 32,
                           .classes = {"slow", "fast"}};
}

/* Two threads, a step, a checkpoint that is written and read. */
static int train_texture(Error *err)
{
    const TextureConfig config = trained_config();
    TextureTrainerSettings settings = texture_trainer_defaults();
    settings.batch = settings.threads = 2;
    Corpus *corpus = corpus_create(BANDS, err);
    TextureModel *model = corpus ? texture_model_create(&config, err) : NULL;
    TextureTrainer *trainer = NULL;
    if (model && fill_corpus(corpus, err) == 0)
        trainer = texture_trainer_create(model, corpus, &settings, err);
    const int failed = !trainer || texture_trainer_step(trainer, err) ||
                       texture_trainer_evaluate(trainer, err) ||
                       texture_trainer_save(trainer, other_path, err) ||
                       texture_trainer_resume(trainer, other_path, err);
    texture_trainer_destroy(trainer);
    texture_model_destroy(model);
    corpus_destroy(corpus);
    return failed ? -1 : 0;
}

static int fill_tunes(NoteCorpus *corpus, Error *err)
{
    NoteToken tune[NOTES];
    for (size_t i = 0; i < NOTES; i++)
        tune[i] = (NoteToken){(uint8_t)(20 + i % 8), 7, 7};
    return note_corpus_add(corpus, "a", NOTE_TRAIN, tune, NOTES, err) ||
                   note_corpus_add(corpus, "b", NOTE_VALIDATE, tune, NOTES, err)
               ? -1
               : 0;
}

static int train_notes(Error *err)
{
    NoteTrainerSettings settings = note_trainer_defaults();
    settings.batch = 1;
    settings.frames = 16;
    const NoteConfig config = {.width = 8, .heads = 1, .layers = 1, .hidden = 8, .reach = 16};
    NoteModel *model = note_model_create(&config, err);
    NoteCorpus *corpus = model ? note_corpus_create(err) : NULL;
    NoteTrainer *trainer = NULL;
    if (corpus && fill_tunes(corpus, err) == 0)
        trainer = note_trainer_create(model, corpus, &settings, err);
    const int failed = !trainer || note_trainer_step(trainer, err) ||
                       note_trainer_evaluate(trainer, err) ||
                       note_trainer_save(trainer, other_path, err) ||
                       note_trainer_resume(trainer, other_path, err);
    note_trainer_destroy(trainer);
    note_corpus_destroy(corpus);
    note_model_destroy(model);
    return failed ? -1 : 0;
}

static int train_samples(Error *err)
{
    static float sound[CLIP];
    for (size_t i = 0; i < CLIP; i++)
        sound[i] = 0.1f * (float)(i % 50 < 25 ? 1 : -1);
    PredictorClip clip = {0};
    PredictorTrainerSettings settings = predictor_trainer_defaults();
    settings.lanes = 1;
    settings.samples = 64;
    const PredictorConfig config = {PREDICTOR_RECURRENT, 8, 8, 8};
    PredictorNet *net = predictor_net_create(&config, err);
    PredictorTrainer *trainer = NULL;
    const bool made = net && predictor_clip_make(sound, CLIP, true, &clip, err) == 0;
    if (made)
        trainer = predictor_trainer_create(net, &clip, 1, NULL, 0, &settings, err);
    const int failed = !trainer || predictor_trainer_step(trainer, err) ||
                       predictor_trainer_save(trainer, other_path, err) ||
                       predictor_trainer_resume(trainer, other_path, err);
    predictor_trainer_destroy(trainer);
    if (made)
        predictor_clip_clear(&clip);
    predictor_net_destroy(net);
    return failed ? -1 : 0;
}

static int read_midi(Error *err)
{
    static const uint8_t bytes[] = "MThd\0\0\0\6\0\0\0\1\0\x60MTrk\0\0\0\x0c\0\x90\x3c\x40"
                                   "\x60\x80\x3c\0\0\xff\x2f\0";
    MidiMelody tune;
    const int failed = midi_parse(bytes, sizeof bytes - 1, &tune, err);
    midi_free(&tune);
    return failed;
}

static LV2_URID map_uri(LV2_URID_Map_Handle handle, const char *uri)
{
    LV2_URID hash = 2166136261u;
    (void)handle;
    for (; *uri; uri++)
        hash = (hash ^ (unsigned char)*uri) * 16777619u;
    return hash;
}

static int log_nothing(LV2_Log_Handle handle, LV2_URID type, const char *format, va_list arguments)
{
    (void)handle;
    (void)type;
    return vsnprintf(NULL, 0, format, arguments);
}

/* The whole plugin, which does without what it does not get: then the input passes, and it says so
 * where the host can see it. */
static int instantiate(Error *err)
{
    LV2_URID_Map map = {NULL, map_uri};
    LV2_Log_Log silent = {NULL, NULL, log_nothing};
    const LV2_Feature numbers = {LV2_URID__map, &map}, log = {LV2_LOG__log, &silent};
    const LV2_Feature *const features[] = {&numbers, &log, NULL};
    const LV2_Descriptor *plugin = lv2_descriptor(0);
    LV2_Handle handle = plugin->instantiate(plugin, 44100.0, folder, features);
    if (!handle)
        return error_set(err, "not instantiated");
    plugin->activate(handle);
    plugin->deactivate(handle);
    plugin->cleanup(handle);
    return 0;
}

/* What fails once may be done without; what fails from then on must be told. */
static void check_each(const char *name, int (*run)(Error *), bool for_good)
{
    Error err = {""};
    allocations_fail(0, false);
    if (run(&err)) /* also fills what is kept for good: plans, for one */
        fail_msg("%s: %s", name, err.message);
    const size_t live = allocations_live();
    const clock_t begin = clock();
    size_t n = 0, told = 0;
    bool reached = true;
    while (reached) {
        err = (Error){""};
        allocations_fail(++n, for_good);
        const int failed = run(&err);
        reached = allocations_failed();
        allocations_fail(0, false);
        if (failed && !reached)
            fail_msg("%s: failed, though no allocation did: %s", name, err.message);
        if (failed && !err.message[0])
            fail_msg("%s: nothing is said of failed allocation %zu", name, n);
        if (allocations_live() != live)
            fail_msg("%s: %zu blocks are left over after failed allocation %zu", name,
                     allocations_live() - live, n);
        told += failed != 0;
    }
    printf("%s: %zu faults, %zu told, %.1f s\n", name, n - 1, told,
           (double)(clock() - begin) / CLOCKS_PER_SEC);
    assert_true(n > 1);
}

static void each_allocation_may_fail(void **state)
{
    static const struct {
        const char *name;
        int (*run)(Error *);
        bool once; /* it takes long */
    } cases[] = {{"open a texture model", open_texture, false},
                 {"open a melody model", open_melody, false},
                 {"open a shared model", open_shared, false},
                 {"save a texture model", save_texture, false},
                 {"save a melody model", save_melody, false},
                 {"play a texture", play_texture, false},
                 {"transform", transform, false},
                 {"play a melody", play_melody, false},
                 {"listen to a melody", listen, false},
                 {"compare sounds", compare, false},
                 {"create a generator", generate, false},
                 {"start a generator", start_thread, false},
                 {"train a texture model", train_texture, true},
                 {"train a note tier", train_notes, false},
                 {"train a sample tier", train_samples, true},
                 {"read a tune", read_midi, false},
                 {"instantiate the plugin", instantiate, false}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        check_each(cases[i].name, cases[i].run, false);
        if (!cases[i].once)
            check_each(cases[i].name, cases[i].run, true);
    }
}

static int set_up(void **state)
{
    (void)state;
    Error err = {""};
    strcpy(folder, "/tmp/brume-test.XXXXXX");
    if (!mkdtemp(folder) || setenv("BRUME_MODELS", folder, 1))
        return -1;
    snprintf(texture_path, sizeof texture_path, "%s/texture.safetensors", folder);
    snprintf(melody_path, sizeof melody_path, "%s/melody.safetensors", folder);
    snprintf(other_path, sizeof other_path, "%s/other.safetensors", folder);
    const SmallTexture small = small_texture();
    texture = small_texture_create(&small, SMALL_WINDOW);
    MelodyConfig config = melody_config_default();
    config.notes = (NoteConfig){.width = 8, .heads = 1, .layers = 1, .hidden = 8, .reach = 4};
    config.samples = (PredictorConfig){PREDICTOR_RECURRENT, 8, 8, 8};
    melody = melody_model_create(&config, &err);
    return !melody || texture_model_save(texture, NULL, 0, 1, texture_path, &err) ||
                   melody_model_save(melody, NULL, 0, true, melody_path, &err)
               ? -1
               : 0;
}

static int clean_up(void **state)
{
    (void)state;
    texture_model_destroy(texture);
    melody_model_destroy(melody);
    unlink(texture_path);
    unlink(melody_path);
    unlink(other_path);
    return rmdir(folder); /* nothing half-written is left */
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_allocation_may_fail)};
    return cmocka_run_group_tests(tests, set_up, clean_up);
}
