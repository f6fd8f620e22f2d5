/* The same sound again: live, exported and from the command; in blocks of any length; after a
 * session was saved and restored at any place; with others beside; with each processor's kernels.
 *
 * test_exact: a quick part. test_exact all FILE: the whole matrix, on stdout a line for each
 * combination, in FILE the tables. test_exact play FOLDER FRAMES OUT: a session that another
 * process saved, as raw samples. */
#include "tests/host/takes.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IN_TIME 0 /* a sanitizer makes the models too slow for what is live */
#else
#define IN_TIME 1
#endif

enum {
    SECOND = TAKES_RATE,
    FRAMES = SECOND,        /* of a take */
    WHOLE = 7 * SECOND / 2, /* of what it is compared with */
    FADED = SECOND / 10,    /* what is transformed live fades in */
    MANY = 8,
    PROCESSORS = 5,
    SETS = 3,
    MODES = 3
};

static const char *const mode_names[MODES] = {"texture", "answer", "transform"};

/* Programs for processors that lack something (Makefile). */
typedef struct Processor {
    const char *name, *folder; /* of the programs; NULL: those that everybody uses */
    int set;                   /* of instructions, for floating point: 0 AVX-512, 1 AVX2 and FMA,
                                * 2 what every x86-64 has */
} Processor;

static Processor processors[PROCESSORS] = {{"this machine's", NULL, 0},
                                           {"AVX-512 without VNNI", "avx512", 0},
                                           {"AVX2 and FMA", "avx2", 1},
                                           {"SSSE3", "ssse3", 2},
                                           {"SSE2", "sse2", 2}};

static const char *const set_names[SETS] = {"AVX-512", "AVX2 and FMA", "baseline"};

/* What takes must be equal to, by set of instructions, mode and seed; and of the shipped model. */
static Sound expected[SETS][MODES][2], shipped[SETS];

static char root[] = "/tmp/brume-exact-XXXXXX", self[PATH_MAX];

/* What was counted, by mode, way and processor. */
typedef enum { COMMAND, EXPORT, LIVE, GOES_ON, RESTORED, ELSEWHERE, WAYS } Way;
static const char *const way_names[WAYS] = {
    "command", "export", "live", "saved, goes on", "restored, live", "in another process"};
static struct {
    int combinations;
    size_t differing;
} counts[MODES][WAYS][PROCESSORS];
static int combinations, odd;

static void judge(int mode, Way way, int processor, const char *more, size_t differing)
{
    counts[mode][way][processor].combinations++;
    counts[mode][way][processor].differing += differing;
    combinations++;
    odd += differing > 0;
    printf("%-9s  %-18s  %-20s  %-44s  %zu\n", mode_names[mode], way_names[way],
           processors[processor].name, more, differing);
    fflush(stdout);
}

static const char *build(void)
{
    const char *folder = getenv("BUILD");
    return folder ? folder : "build";
}

/* The bundle or command of a processor: what lies in its folder under that name. */
static const char *program(int processor, const char *name, const char *usual)
{
    static char paths[8][PATH_MAX];
    static unsigned turn;
    char *path = paths[turn++ % 8];
    if (processors[processor].folder)
        snprintf(path, PATH_MAX, "%s/tests/exact/%s/%s", build(), processors[processor].folder,
                 name);
    else
        snprintf(path, PATH_MAX, "%s/%s", build(), usual);
    return path;
}

static const char *command_of(int processor)
{
    return program(processor, "brume", "brume");
}

/* Textures and what is transformed are a tiny model's: it is the plugin that is tested. */
static const char *bundle_of(int processor, int mode)
{
    return mode == TAKE_ANSWER ? program(processor, "brume.lv2", "brume.lv2")
                               : program(processor, "tiny.lv2", "tests/host/tiny/brume.lv2");
}

static const char *folder_named(const char *name)
{
    static char paths[4][PATH_MAX];
    static unsigned turn;
    char *path = paths[turn++ % 4];
    snprintf(path, PATH_MAX, "%s/%s", root, name);
    return path;
}

static const char *words(const char *format, ...)
{
    static char text[200];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return text;
}

static const char *length_of(uint32_t block)
{
    static char text[32];
    snprintf(text, sizeof text, block ? "blocks of %u" : "varied blocks", block);
    return text;
}

static Take take_of(int processor, int mode, bool live, uint32_t block)
{
    return (Take){.bundle = bundle_of(processor, mode),
                  .mode = (TakeMode)mode,
                  .live = live,
                  .block = block,
                  .seed = 5};
}

/* What all takes of a set of instructions must be: the command's sound; of an answer, which it does
 * not make so long after its question, an export's. */
static void expect(int processor, int mode)
{
    for (int s = 0; s < 2; s++) {
        Take take = take_of(processor, mode, false, 512);
        take.seed += (float)s;
        Sound *sound = &expected[processors[processor].set][mode][s];
        if (!sound->frames)
            *sound = mode == TAKE_ANSWER ? take_record(&take, WHOLE)
                                         : take_command(command_of(processor), &take, WHOLE);
    }
}

static const Sound *expectation(int processor, int mode, size_t seed)
{
    return &expected[processors[processor].set][mode][seed];
}

/* One instance, or many at once. */
static void check_takes(int processor, int mode, bool live, uint32_t block, size_t count)
{
    const Take take = take_of(processor, mode, live, block);
    const size_t skip = live && mode == TAKE_TRANSFORM ? FADED : 0;
    Sound sounds[MANY];
    size_t differing = 0;
    if (count == 1)
        sounds[0] = take_record(&take, FRAMES);
    else
        takes_record(&take, FRAMES, count, sounds);
    for (size_t i = 0; i < count; i++) {
        differing +=
            sound_differs(&sounds[i], expectation(processor, mode, i % 2), 0, skip, FRAMES);
        sound_clear(&sounds[i]);
    }
    judge(mode, live ? LIVE : EXPORT, processor, words("%s, %zu at once", length_of(block), count),
          differing);
}

/* Saves a session after *cut frames, or what becomes of that, of a take that goes on as if nothing
 * had been. */
static const char *check_saved(int processor, int mode, bool live, uint32_t block, size_t *cut)
{
    Take take = take_of(processor, mode, live, block);
    const char *folder = folder_named("session");
    take.to = folder;
    take.cut = *cut;
    Sound sound = take_record(&take, *cut + SECOND / 4);
    judge(mode, GOES_ON, processor,
          words("%s, after frame %zu, %s", length_of(block), sound.cut, live ? "live" : "exported"),
          sound_differs(&sound, expectation(processor, mode, 0), 0, 0, *cut + SECOND / 4));
    *cut = sound.cut;
    sound_clear(&sound);
    return folder;
}

static void check_restored(int processor, int mode, const char *folder, uint32_t block, size_t cut,
                           size_t count)
{
    Take take = take_of(processor, mode, true, block);
    Sound sounds[MANY];
    size_t differing = 0;
    take.from = folder;
    if (count == 1)
        sounds[0] = take_record(&take, FRAMES);
    else
        takes_record(&take, FRAMES, count, sounds);
    for (size_t i = 0; i < count; i++) {
        differing += sound_differs(&sounds[i], expectation(processor, mode, 0), cut, 0, FRAMES);
        sound_clear(&sounds[i]);
    }
    judge(mode, RESTORED, processor,
          words("%s, frame %zu, %zu at once", length_of(block), cut, count), differing);
}

static void check_elsewhere(int processor, int mode, const char *folder, size_t cut)
{
    char command[4 * PATH_MAX];
    const char *path = folder_named("elsewhere.raw");
    snprintf(command, sizeof command, "'%s' play '%s' '%s' %d %d '%s'", self,
             bundle_of(processor, mode), folder, mode, FRAMES, path);
    Sound sound = {.frames = calloc(2 * FRAMES, sizeof(float))};
    FILE *file = system(command) ? NULL : fopen(path, "rb");
    if (file) {
        sound.count = fread(sound.frames, 2 * sizeof(float), FRAMES, file);
        fclose(file);
    }
    judge(mode, ELSEWHERE, processor, words("frame %zu", cut),
          sound_differs(&sound, expectation(processor, mode, 0), cut, 0, FRAMES));
    sound_clear(&sound);
}

/* In the process that is started by check_elsewhere. */
static int play(char **words_)
{
    const Take take = {.bundle = words_[0],
                       .from = words_[1],
                       .mode = (TakeMode)atoi(words_[2]),
                       .live = true,
                       .block = 333};
    Sound sound = take_record(&take, (size_t)atoi(words_[3]));
    FILE *file = fopen(words_[4], "wb");
    const bool written =
        file && fwrite(sound.frames, 2 * sizeof(float), sound.count, file) == sound.count;
    return !file || fclose(file) || !written;
}

/* The shipped model, whole: command, export, live, restored. */
static void check_shipped(int processor)
{
    const Take export = {
        .bundle = program(processor, "brume.lv2", "brume.lv2"), .block = 1000, .seed = 7};
    Sound *reference = &shipped[processors[processor].set];
    if (!reference->frames)
        *reference = take_command(command_of(processor), &export, WHOLE);
    Take take = export;
    Sound sound = take_record(&take, FRAMES);
    judge(TAKE_TEXTURE, EXPORT, processor, "shipped model",
          sound_differs(&sound, reference, 0, 0, FRAMES));
    sound_clear(&sound);
    take.live = true;
    take.to = folder_named("shipped");
    take.cut = 40000;
    sound = take_record(&take, take.cut + FRAMES);
    judge(TAKE_TEXTURE, LIVE, processor, "shipped model, saved meanwhile",
          sound_differs(&sound, reference, 0, 0, take.cut + FRAMES));
    sound_clear(&sound);
    take.from = take.to;
    take.to = NULL;
    sound = take_record(&take, FRAMES);
    judge(TAKE_TEXTURE, RESTORED, processor, "shipped model, frame 40000",
          sound_differs(&sound, reference, take.cut, 0, FRAMES));
    sound_clear(&sound);
}

static void check_command(int processor, int mode)
{
    const Take take = take_of(processor, mode, false, 512);
    if (mode == TAKE_ANSWER)
        return;
    Sound sound = take_command(command_of(processor), &take, FRAMES);
    judge(mode, COMMAND, processor, "",
          sound_differs(&sound, expectation(processor, mode, 0), 0, 0, FRAMES));
    sound_clear(&sound);
}

static void check_quickly(void)
{
    const uint32_t blocks[] = {1, 100, 0};
    for (int mode = 0; mode < MODES; mode++) {
        expect(0, mode);
        for (size_t b = mode == TAKE_ANSWER; b < 3; b++)
            check_takes(0, mode, false, blocks[b], 1);
    }
    if (!IN_TIME)
        return;
    check_takes(0, TAKE_TEXTURE, true, 64, 1);
    check_takes(0, TAKE_TEXTURE, true, 0, 2);
    size_t cuts[] = {1, 7777, 77777}, answered = 12345;
    for (size_t c = 0; c < 3; c++) {
        const char *folder = check_saved(0, TAKE_TEXTURE, c != 1, 256, &cuts[c]);
        check_restored(0, TAKE_TEXTURE, folder, c == 2 ? 0 : 64, cuts[c], 1);
        if (c == 1)
            check_elsewhere(0, TAKE_TEXTURE, folder, cuts[c]);
    }
    const char *folder = check_saved(0, TAKE_ANSWER, false, 512, &answered);
    check_restored(0, TAKE_ANSWER, folder, 100, answered, 1);
}

static const uint32_t all_blocks[] = {1, 16, 64, 100, 1024, 0};
enum { BLOCKS = sizeof all_blocks / sizeof all_blocks[0] };

static void check_ways(int processor, int mode)
{
    for (size_t b = 0; b < BLOCKS; b++)
        for (int live = 0; live < 2; live++)
            for (size_t count = 1; count <= MANY; count += MANY - 1) {
                /* What is transformed live must be in time, which a busy machine is not. */
                const bool slow = mode == TAKE_TRANSFORM && live && (count > 1 || b < 2);
                /* Other processors, and many answers, go through a few blocks. */
                const bool few = processor > 0 || (mode == TAKE_ANSWER && count > 1);
                if (!slow && (!few || b == 2 || b == 5))
                    check_takes(processor, mode, live, all_blocks[b], count);
            }
}

static void check_places(int processor, int mode)
{
    size_t cuts[] = {1, 100, 4801, 33333, 96000};
    for (size_t c = 0; c < 5; c++) {
        if (processor > 0 && c % 2 == 0)
            continue;
        const char *folder = check_saved(processor, mode, c % 2, all_blocks[c + 1], &cuts[c]);
        for (size_t b = 0; b < BLOCKS; b++)
            if (processor == 0 || b == 2 || b == 5)
                check_restored(processor, mode, folder, all_blocks[b], cuts[c], 1);
        if (processor == 0 && (c == 1 || c == 3))
            check_restored(processor, mode, folder, 64, cuts[c], MANY);
        if (processor == 0)
            check_elsewhere(processor, mode, folder, cuts[c]);
    }
}

static void check_all(void)
{
    for (int p = 0; p < PROCESSORS; p++) {
        for (int mode = 0; mode < MODES; mode++) {
            expect(p, mode);
            check_command(p, mode);
            check_ways(p, mode);
            if (mode != TAKE_TRANSFORM)
                check_places(p, mode);
        }
        check_shipped(p);
    }
}

/* Peak of the difference, and its power beside that of the signal, both in dB. */
static void compare(FILE *out, const char *what, int set, const Sound *a, const Sound *b)
{
    double peak = 0, error = 0, all = 0;
    const size_t n = 2 * (a->count < b->count ? a->count : b->count);
    for (size_t i = 0; i < n; i++) {
        const double wrong = (double)a->frames[i] - (double)b->frames[i];
        peak = fmax(peak, fabs(wrong));
        error += wrong * wrong;
        all += (double)b->frames[i] * (double)b->frames[i];
    }
    if (error == 0)
        fprintf(out, "| %s | %s | 0 | the same to the bit |\n", what, set_names[set]);
    else
        fprintf(out, "| %s | %s | %.2e | %.1f |\n", what, set_names[set], peak,
                10 * log10(error / all));
}

/* Which set a processor's kernels belong to depends on what this machine has. */
static void find_sets(void)
{
    __builtin_cpu_init();
    const bool avx512 = __builtin_cpu_supports("avx512f");
    const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    const int best = avx512 ? 0 : avx2 ? 1 : 2;
    for (int p = 0; p < PROCESSORS; p++)
        processors[p].set = processors[p].set > best ? processors[p].set : best;
}

static void write_tables(FILE *out)
{
    fprintf(out,
            "%d combinations, %d with a sample that differs.\n\n"
            "| mode | way | kernels of | combinations | differing samples |\n"
            "|---|---|---|---|---|\n",
            combinations, odd);
    for (int mode = 0; mode < MODES; mode++)
        for (int way = 0; way < WAYS; way++)
            for (int p = 0; p < PROCESSORS; p++)
                if (counts[mode][way][p].combinations)
                    fprintf(out, "| %s | %s | %s | %d | %zu |\n", mode_names[mode], way_names[way],
                            processors[p].name, counts[mode][way][p].combinations,
                            counts[mode][way][p].differing);
    const int best = processors[0].set;
    fprintf(out,
            "\n## Across instruction sets\n\nThe difference from the sound with %s.\n\n"
            "| sound | with | peak | power, dB beside the signal's |\n|---|---|---|---|\n",
            set_names[best]);
    for (int set = best + 1; set < SETS; set++) {
        compare(out, "texture, shipped model", set, &shipped[set], &shipped[best]);
        for (int mode = 0; mode < MODES; mode++)
            compare(out, mode_names[mode], set, &expected[set][mode][0], &expected[best][mode][0]);
    }
}

int main(int argc, char **argv)
{
    if (argc == 7 && !strcmp(argv[1], "play"))
        return play(argv + 2);
    const bool all = argc == 3 && !strcmp(argv[1], "all");
    if (!realpath("/proc/self/exe", self) || !mkdtemp(root))
        return 1;
    find_sets();
    if (all)
        check_all();
    else
        check_quickly();
    printf("%d combinations, %d with a sample that differs\n", combinations, odd);
    FILE *file = all ? fopen(argv[2], "w") : NULL;
    if (file)
        write_tables(file);
    const bool written = !all || (file && fclose(file) == 0);
    char command[200];
    snprintf(command, sizeof command, "rm -rf '%s'", root);
    return system(command) || odd > 0 || !written;
}
