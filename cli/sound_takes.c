#include "cli/sound_takes.h"

#include "cli/interrupt.h"
#include "models/half.h"

#include <stdlib.h>
#include <string.h>

enum { PIECE = 1024 /* frames analysed together */ };

/* One channel's features, as they come. */
typedef struct Features {
    uint16_t *values; /* (frames, bands) */
    size_t frames, room;
} Features;

/* A part on its way. */
typedef struct Part {
    const TakeTools *tools;
    unsigned channels;
    size_t room;          /* samples of `sound` */
    float *sound;         /* (room, channels) */
    float *mono, *energy; /* (room,), (PIECE, bands) */
    Features features[3]; /* left, right, middle */
    size_t samples;
    double power[2], difference; /* sums of squares */
} Part;

static int part_create(Part *part, const TakeTools *tools, unsigned channels, Error *err)
{
    const size_t hop = tools->config->frame / 4;
    *part = (Part){.tools = tools, .channels = channels, .room = (PIECE + 3) * hop};
    part->sound = malloc(part->room * channels * sizeof *part->sound);
    part->mono = malloc(part->room * sizeof *part->mono);
    part->energy = malloc(PIECE * bands_count(tools->bands) * sizeof *part->energy);
    return part->sound && part->mono && part->energy
               ? 0
               : error_set(err, "out of memory for a recording");
}

static void part_clear(Part *part)
{
    free(part->sound);
    free(part->mono);
    free(part->energy);
    for (int c = 0; c < 3; c++)
        free(part->features[c].values);
}

/* Room for `more` frames, at least half as much again as there was. */
static int grow(Features *features, size_t more, size_t bands, Error *err)
{
    const size_t needed = features->frames + more, ample = features->room + features->room / 2;
    if (needed <= features->room)
        return 0;
    const size_t room = ample > needed ? ample : needed;
    uint16_t *larger = realloc(features->values, room * bands * sizeof *larger);
    if (!larger)
        return error_set(err, "out of memory for %zu frames", room);
    features->values = larger;
    features->room = room;
    return 0;
}

/* Sample i as a channel (2: the middle) hears it. */
static float sample_at(const Part *part, int channel, size_t i)
{
    const float *at = part->sound + i * part->channels;
    return channel == 2 ? 0.5f * (at[0] + at[1]) : at[channel];
}

/* Appends the features of `count` frames from the first sample on. */
static int analyse(Part *part, int channel, size_t count, Error *err)
{
    const size_t frame = part->tools->config->frame, hop = frame / 4;
    const size_t bands = bands_count(part->tools->bands), n = (count - 1) * hop + frame;
    Features *features = &part->features[channel];
    for (size_t i = 0; i < n; i++)
        part->mono[i] = sample_at(part, channel, i);
    if (grow(features, count, bands, err) ||
        analysis_run(part->tools->bands, part->tools->stft, part->mono, n, hop, part->energy, err))
        return -1;
    half_from_float(part->energy, features->values + features->frames * bands, count * bands);
    features->frames += count;
    return 0;
}

static void add_power(Part *part, const float *sound, size_t n)
{
    for (size_t i = 0; i < n && part->channels == 2; i++) {
        const double left = (double)sound[2 * i], right = (double)sound[2 * i + 1];
        part->power[0] += left * left;
        part->power[1] += right * right;
        part->difference += (left - right) * (left - right);
    }
    part->samples += n;
}

/* Reads all of a part that was begun: its features, a few seconds at a time. */
static int part_read(Part *part, SoundStream *stream, Error *err)
{
    const size_t frame = part->tools->config->frame, hop = frame / 4, channels = part->channels;
    for (size_t kept = 0, made = 1; made;) {
        float *next = part->sound + kept * channels;
        if (interrupt_requested())
            return error_set(err, "interrupted: nothing was written");
        if (sound_stream_read(stream, next, part->room - kept, &made, err))
            return -1;
        add_power(part, next, made);
        const size_t count = analysis_frames(kept + made, frame, hop);
        for (int c = 0; c < (channels == 2 ? 3 : 1) && count; c++)
            if (analyse(part, c, count, err))
                return -1;
        kept += made - count * hop;
        memmove(part->sound, part->sound + count * hop * channels,
                kept * channels * sizeof *part->sound);
    }
    return 0;
}

/* Gives one channel's features to the corpus. */
static int give(Part *part, int channel, Corpus *corpus, size_t class_index, const char *recording,
                CorpusChannel as, Error *err)
{
    Features *features = &part->features[channel];
    const size_t size = features->frames * bands_count(part->tools->bands);
    uint16_t *values = realloc(features->values, (size ? size : 1) * sizeof *values);
    if (!values)
        return error_set(err, "out of memory for %zu frames", features->frames);
    features->values = NULL;
    return corpus_add_half(corpus, class_index, recording, as, values, features->frames, err);
}

/* Two channels that are the same are one; of two of which one is silent, the other one counts. */
static int give_all(Part *part, Corpus *corpus, size_t class_index, const char *recording,
                    Error *err)
{
    static const CorpusChannel AS[] = {CORPUS_LEFT, CORPUS_RIGHT, CORPUS_MIDDLE};
    const double silence = 1e-10 * (double)part->samples;
    if (part->channels == 1)
        return give(part, 0, corpus, class_index, recording, CORPUS_MONO, err);
    if (part->power[0] <= silence || part->power[1] <= silence)
        return give(part, part->power[1] > part->power[0], corpus, class_index, recording,
                    CORPUS_MONO, err);
    if (part->difference <= 1e-4 * part->power[1])
        return give(part, 0, corpus, class_index, recording, CORPUS_ALIKE, err);
    for (int c = 0; c < 3; c++)
        if (give(part, c, corpus, class_index, recording, AS[c], err))
            return -1;
    return 0;
}

int sound_takes_add(const TakeTools *tools, Corpus *corpus, size_t class_index,
                    const char *recording, SoundStream *stream, size_t part, double *seconds,
                    Error *err)
{
    const SoundWanted wanted = {SOUND_ALL, tools->config->rate, 1.0, 1.0f};
    Part it;
    const int failed = part_create(&it, tools, sound_stream_survey(stream)->channels, err) ||
                       sound_stream_begin(stream, part, &wanted, err) ||
                       part_read(&it, stream, err) ||
                       give_all(&it, corpus, class_index, recording, err);
    *seconds = (double)it.samples / (double)tools->config->rate;
    part_clear(&it);
    return failed ? -1 : 0;
}

int sound_takes_add_variant(const TakeTools *tools, Corpus *corpus, size_t class_index,
                            const char *recording, SoundStream *stream, size_t part,
                            const SoundWanted *wanted, Error *err)
{
    Part it;
    const int failed = part_create(&it, tools, 1, err) ||
                       sound_stream_begin(stream, part, wanted, err) ||
                       part_read(&it, stream, err) ||
                       give(&it, 0, corpus, class_index, recording, CORPUS_VARIANT, err);
    part_clear(&it);
    return failed ? -1 : 0;
}
