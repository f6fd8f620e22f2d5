#include "tests/host/takes.h"

#include "tests/host/tune.h"

#include <math.h>
#include <pthread.h>
#include <sndfile.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { RATE = TAKES_RATE, MOST_BLOCK = 1024, TRIES = 4, PATIENCE = 20 * RATE };

/* An answer is asked for when the tune has been over for this long. */
enum { SILENCE_AFTER = RATE / 2 };

static void give_up(const char *what)
{
    fprintf(stderr, "takes: %s\n", what);
    abort();
}

static Sound sound_create(size_t frames)
{
    Sound sound = {.frames = calloc(2 * frames + 2, sizeof(float))};
    if (!sound.frames)
        give_up("out of memory");
    return sound;
}

void sound_clear(Sound *sound)
{
    free(sound->frames);
    *sound = (Sound){.frames = NULL};
}

/* Both channels' input, frame number i of it. */
static void input_frame(const Take *take, size_t i, float *left, float *right)
{
    *left = *right = 0.0F;
    if (take->mode == TAKE_TEXTURE || take->from)
        return;
    *left = i < TUNE_FRAMES ? tune_frame(i) : 0.0F;
    *right = *left;
    if (take->mode == TAKE_TRANSFORM)
        *right = i >= RATE / 4 && i - RATE / 4 < TUNE_FRAMES ? 0.7F * tune_frame(i - RATE / 4) : 0;
}

static Host *open_host(const Take *take)
{
    Host *host = host_open(take->bundle, RATE, (HostKind){.promised = MOST_BLOCK});
    if (take->from) {
        host_restore(host, take->from);
    } else {
        host_set(host, "mode", (float)take->mode);
        host_set(host, "seed", take->seed);
        host_set(host, "texture", 0);
        host_set(host, "strength", 0.5F);
        host_set(host, "dry", -90);
    }
    host_set(host, "freewheel", !take->live);
    host_activate(host);
    return host;
}

/* Lengths from 1 to 1024, most of them odd. */
static uint32_t next_block(const Take *take, uint32_t *dice)
{
    if (take->block)
        return take->block;
    *dice = *dice * 1664525u + 1013904223u;
    return 1 + (*dice >> 22);
}

static void nap(double seconds)
{
    nanosleep(&(struct timespec){0, (long)(1e9 * seconds)}, NULL);
}

/* How a take goes on. */
typedef struct Recording {
    const Take *take;
    Host *host;
    Sound sound;
    size_t wanted, played; /* frames of sound; frames in all */
    uint32_t dice;
} Recording;

/* Live: as fast as the generator keeps ahead, and where time matters at a sound card's pace. */
static void wait_live(const Recording *recording, uint32_t n)
{
    const Take *take = recording->take;
    const bool question =
        take->mode == TAKE_ANSWER && !take->from && recording->played < TUNE_FRAMES;
    if (take->mode == TAKE_TRANSFORM || (recording->sound.count == 0 && !question))
        nap((double)n / RATE);
    else if (question)
        nap(0.2 * n / RATE); /* no faster than the generator can listen */
    else if (host_get(recording->host, "buffered") < 0.2F)
        nap(0.4);
    else if (host_get(recording->host, "buffered") < 0.6F)
        nap(0.02);
}

static void put_input(Recording *recording, uint32_t n)
{
    float *left = host_in(recording->host, 0), *right = host_in(recording->host, 1);
    for (uint32_t i = 0; i < n; i++)
        input_frame(recording->take, recording->played + i, left + i, right + i);
}

/* Whether the sound has not begun at frame i of the block. */
static bool is_before(const Recording *recording, uint32_t i, float left, float right)
{
    if (recording->take->mode == TAKE_TRANSFORM)
        return (float)(recording->played + i) < host_get(recording->host, "latency");
    return recording->sound.count == 0 && left == 0.0F && right == 0.0F;
}

/* What was played, from where the sound begins on. */
static void keep(Recording *recording, uint32_t n)
{
    const float *left = host_out(recording->host, 0), *right = host_out(recording->host, 1);
    Sound *sound = &recording->sound;
    for (uint32_t i = 0; i < n && sound->count < recording->wanted; i++) {
        if (is_before(recording, i, left[i], right[i]))
            continue;
        sound->frames[2 * sound->count] = left[i];
        sound->frames[2 * sound->count++ + 1] = right[i];
    }
}

/* No block goes beyond the cut but that in which the sound begins. */
static void play_block(Recording *recording)
{
    const Take *take = recording->take;
    Sound *sound = &recording->sound;
    uint32_t n = next_block(take, &recording->dice);
    if (take->live)
        wait_live(recording, n);
    if (take->to && sound->count > 0 && sound->count < take->cut && take->cut - sound->count < n)
        n = (uint32_t)(take->cut - sound->count);
    put_input(recording, n);
    host_run(recording->host, n);
    keep(recording, n);
    recording->played += n;
    if (take->to && sound->cut == 0 && sound->count >= take->cut) {
        sound->cut = sound->count;
        host_save(recording->host, take->to);
    }
}

static Sound record_once(const Take *take, size_t frames)
{
    Recording recording = {.take = take,
                           .host = open_host(take),
                           .sound = sound_create(frames),
                           .wanted = frames,
                           .dice = 1};
    while (recording.sound.count < frames && recording.played < PATIENCE)
        play_block(&recording);
    snprintf(recording.sound.status, sizeof recording.sound.status, "%s",
             host_status(recording.host));
    recording.sound.underruns = (int)host_get(recording.host, "underruns");
    host_close(recording.host);
    return recording.sound;
}

static void tell_dry(int underruns)
{
    if (underruns > 0)
        printf("takes: the sound ran dry %d times, and so %d times over: the machine is too busy\n",
               underruns, TRIES);
}

Sound take_record(const Take *take, size_t frames)
{
    Sound sound = record_once(take, frames);
    for (int tries = 1; tries < TRIES && sound.underruns > 0; tries++) {
        sound_clear(&sound);
        sound = record_once(take, frames);
    }
    tell_dry(sound.underruns);
    return sound;
}

typedef struct Player {
    pthread_t thread;
    Take take;
    size_t frames;
    Recording recording;
} Player;

static void *play(void *user)
{
    Player *player = user;
    Recording *recording = &player->recording;
    while (recording->sound.count < recording->wanted && recording->played < PATIENCE)
        play_block(recording);
    return NULL;
}

/* Opened and closed one after another: lilv is not made for more. */
static void record_together(const Take *take, size_t frames, size_t count, Player *players)
{
    for (size_t i = 0; i < count; i++) {
        players[i].take = *take;
        players[i].take.seed += (float)(i % 2);
        players[i].recording = (Recording){.take = &players[i].take,
                                           .host = open_host(&players[i].take),
                                           .sound = sound_create(frames),
                                           .wanted = frames,
                                           .dice = (uint32_t)i};
    }
    for (size_t i = 0; i < count; i++)
        if (pthread_create(&players[i].thread, NULL, play, &players[i]))
            give_up("no thread");
    for (size_t i = 0; i < count; i++)
        pthread_join(players[i].thread, NULL);
    for (size_t i = 0; i < count; i++) {
        Recording *recording = &players[i].recording;
        recording->sound.underruns = (int)host_get(recording->host, "underruns");
        host_close(recording->host);
    }
}

void takes_record(const Take *take, size_t frames, size_t count, Sound *sounds)
{
    Player *players = calloc(count, sizeof *players);
    if (!players)
        give_up("out of memory");
    int underruns = 0;
    for (int tries = 0; tries < TRIES && (tries == 0 || underruns > 0); tries++) {
        for (size_t i = 0; tries > 0 && i < count; i++)
            sound_clear(&players[i].recording.sound);
        record_together(take, frames, count, players);
        underruns = 0;
        for (size_t i = 0; i < count; i++)
            underruns += players[i].recording.sound.underruns;
    }
    tell_dry(underruns);
    for (size_t i = 0; i < count; i++)
        sounds[i] = players[i].recording.sound;
    free(players);
}

static void write_input(const Take *take, size_t frames, const char *path)
{
    SF_INFO info = {.samplerate = RATE, .channels = 2, .format = SF_FORMAT_WAV | SF_FORMAT_FLOAT};
    SNDFILE *file = sf_open(path, SFM_WRITE, &info);
    for (size_t i = 0; i < frames; i++) {
        float both[2];
        input_frame(take, i, &both[0], &both[1]);
        sf_writef_float(file, both, 1);
    }
    sf_close(file);
}

/* A file; `strip`: from its first frame that is not silent on. */
static Sound read_sound(const char *path, bool strip, size_t frames)
{
    SF_INFO info = {0};
    SNDFILE *file = sf_open(path, SFM_READ, &info);
    if (!file || info.channels != 2 || info.samplerate != RATE)
        give_up("the command's sound is none");
    Sound sound = sound_create((size_t)info.frames);
    sf_readf_float(file, sound.frames, info.frames);
    sf_close(file);
    size_t first = 0;
    const size_t there = (size_t)info.frames;
    while (strip && first < there && sound.frames[2 * first] == 0 &&
           sound.frames[2 * first + 1] == 0)
        first++;
    sound.count = there - first < frames ? there - first : frames;
    memmove(sound.frames, sound.frames + 2 * first, 2 * sound.count * sizeof(float));
    return sound;
}

Sound take_command(const char *brume, const Take *take, size_t frames)
{
    char folder[] = "/tmp/brume-take-XXXXXX", in[64], out[64], command[16000];
    const double seconds = (double)frames / RATE + 0.2;
    if (!mkdtemp(folder))
        give_up("no folder");
    snprintf(in, sizeof in, "%s/in.wav", folder);
    snprintf(out, sizeof out, "%s/out.wav", folder);
    /* The port's class 0 is the first one that the model names, as is the command's. */
    if (take->mode == TAKE_TRANSFORM) {
        write_input(take, (size_t)(seconds * RATE), in);
        snprintf(command, sizeof command,
                 "'%s' transform %s --strength 0.5 --seed %g "
                 "--model '%s/models/texture.safetensors' --quiet -o %s",
                 brume, in, (double)take->seed, take->bundle, out);
    } else {
        snprintf(command, sizeof command,
                 "'%s' render --seconds %g --seed %g --rate %d --channels 2 "
                 "--model '%s/models/texture.safetensors' --quiet -o %s",
                 brume, seconds, (double)take->seed, RATE, take->bundle, out);
    }
    if (system(command))
        give_up(command);
    const Sound sound = read_sound(out, take->mode != TAKE_TRANSFORM, frames);
    unlink(in);
    unlink(out);
    rmdir(folder);
    return sound;
}

size_t sound_differs(const Sound *sound, const Sound *expected, size_t from, size_t skip,
                     size_t frames)
{
    size_t differing = 0;
    if (sound->count < frames || expected->count < from + frames)
        return 2 * frames;
    for (size_t i = 2 * skip; i < 2 * frames; i++)
        differing += sound->frames[i] != expected->frames[2 * from + i];
    return differing;
}
