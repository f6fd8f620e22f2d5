/* Plans: on the grid of what was heard, in its range and tuning, the same for the same seed, for
 * ever, and mended where a model misbehaves. The models here are small, with weights of our own. */
#include "models/note_plan.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { HEARD = 20 };
static const double BEAT = 0.48, TUNING = 0.23;

typedef struct Rig {
    NoteModel *model;
    float *weights;
    NoteHeard heard[HEARD];
    double now;
} Rig;

static float draw(unsigned long *state)
{
    *state = *state * 6364136223846793005UL + 1442695040888963407UL;
    return (float)(*state >> 40) / 8388608.0f - 1.0f;
}

/* A prompt of quavers and crotchets, 23 cents sharp; the last note began half a quaver ago. */
static Rig rig_create(float scale)
{
    const NoteConfig config = {.width = 16, .heads = 1, .layers = 1, .hidden = 16, .reach = 16};
    static const int pitches[5] = {62, 66, 69, 67, 64};
    Rig rig = {.model = note_model_create(&config, NULL)};
    assert_non_null(rig.model);
    const size_t size = parameters_size(note_model_parameters(rig.model));
    unsigned long seed = 9;
    rig.weights = malloc(size * sizeof *rig.weights);
    assert_non_null(rig.weights);
    for (size_t i = 0; i < size; i++)
        rig.weights[i] = scale * draw(&seed);
    double at = 0.1;
    for (size_t i = 0; i < HEARD; i++) {
        const double step = BEAT * (i % 4 == 3 ? 1.0 : 0.5);
        rig.heard[i] = (NoteHeard){at, 0.7 * step, pitches[i % 5] + TUNING};
        at += i + 1 < HEARD ? step : 0.0;
    }
    rig.now = at + 0.25 * BEAT;
    rig.heard[HEARD - 1].seconds = 0.25 * BEAT;
    return rig;
}

static void rig_destroy(Rig *rig)
{
    note_model_destroy(rig->model);
    free(rig->weights);
}

static NotePlan *plan(const Rig *rig, uint64_t seed, float temperature)
{
    NotePlanSettings settings = note_plan_defaults();
    Error err = {""};
    settings.seed = seed;
    settings.temperature = temperature;
    NotePlan *made =
        note_plan_create(rig->model, rig->weights, rig->heard, HEARD, rig->now, &settings, &err);
    if (!made)
        fail_msg("%s", err.message);
    return made;
}

/* The values of the tensor `name`. */
static float *tensor(Rig *rig, const char *name)
{
    const Parameters *parameters = note_model_parameters(rig->model);
    for (size_t i = 0; i < parameters_count(parameters); i++)
        if (!strcmp(parameters_info(parameters, i)->name, name))
            return rig->weights + parameters_info(parameters, i)->offset;
    fail_msg("no tensor %s", name);
    return NULL;
}

static void notes_follow_on_the_heard_grid(void **state)
{
    (void)state;
    Rig rig = rig_create(0.2f);
    NotePlan *p = plan(&rig, 1, 1.0f);
    assert_true(fabs(note_plan_beat(p) / BEAT - 1.0) < 0.01 ||
                fabs(note_plan_beat(p) / BEAT - 2.0) < 0.02 ||
                fabs(note_plan_beat(p) / BEAT - 0.5) < 0.01);
    assert_true(isfinite(note_plan_surprise(p)) && note_plan_surprise(p) > 0.0);
    const double unit = note_plan_beat(p) / NOTE_GRID;
    NotePlanned note;
    assert_int_equal(note_plan_next(p, &note), 1);
    const NoteHeard *last = &rig.heard[HEARD - 1];
    assert_int_equal(note.held, 1);
    assert_true(note.onset == last->onset && note.pitch == last->pitch);
    assert_true(note.onset + note.seconds >= rig.now - 0.03);
    for (int i = 0; i < 300; i++) {
        const double end = note.onset + note.step;
        assert_int_equal(note_plan_next(p, &note), 1);
        assert_int_equal(note.held, 0);
        assert_true(fabs(note.onset - end) < 1e-6);
        assert_true(note.onset > rig.now - 0.07);
        const double units = (note.onset - last->onset) / unit;
        assert_true(fabs(units - round(units)) < 0.05);
        assert_true(note.seconds > 0.0 && note.seconds <= note.step + 1e-9 && note.step <= 2.0);
        assert_true(fabs(note.pitch - TUNING - round(note.pitch - TUNING)) < 1e-6);
        assert_true(note.pitch > 62 - 8 && note.pitch < 69 + 8);
    }
    note_plan_destroy(p);
    rig_destroy(&rig);
}

static int same_notes(const Rig *rig, NotePlan *one, NotePlan *other)
{
    (void)rig;
    int same = 1;
    for (int i = 0; i < 50; i++) {
        NotePlanned a, b;
        assert_int_equal(note_plan_next(one, &a), 1);
        assert_int_equal(note_plan_next(other, &b), 1);
        same = same && a.pitch == b.pitch && a.onset == b.onset && a.seconds == b.seconds;
    }
    note_plan_destroy(one);
    note_plan_destroy(other);
    return same;
}

static void seeds_decide_and_greed_does_not_ask_them(void **state)
{
    (void)state;
    Rig rig = rig_create(0.2f);
    assert_true(same_notes(&rig, plan(&rig, 5, 1.0f), plan(&rig, 5, 1.0f)));
    assert_false(same_notes(&rig, plan(&rig, 5, 1.0f), plan(&rig, 6, 1.0f)));
    assert_true(same_notes(&rig, plan(&rig, 5, 0.0f), plan(&rig, 6, 0.0f)));
    rig_destroy(&rig);
}

/* A model that knows one pitch only; then two; then only what is out of range; then four: ten
 * minutes each, in which decoders relieve each other many times. */
static void degenerate_models_are_mended(void **state)
{
    (void)state;
    for (int kind = 0; kind < 4; kind++) {
        Rig rig = rig_create(0.02f);
        float *bias = tensor(&rig, "pitch.bias");
        if (kind == 0)
            bias[69 - NOTE_LOWEST] = 40.0f;
        else if (kind == 1)
            bias[66 - NOTE_LOWEST] = bias[67 - NOTE_LOWEST] = 40.0f;
        else if (kind == 2)
            bias[55] = 40.0f;
        for (int i = 0; kind == 3 && i < 4; i++)
            bias[62 - NOTE_LOWEST + 2 * i] = 12.0f;
        NotePlan *p = plan(&rig, 2, kind == 3 ? 1.0f : 0.0f);
        NotePlanned note;
        int alike = 0;
        double pitch = 0.0, start = rig.now;
        while (note_plan_next(p, &note) && note.onset < start + 600.0) {
            alike = note.pitch == pitch ? alike + 1 : 1;
            pitch = note.pitch;
            assert_true(alike <= 6);
            assert_true(note.pitch > 62 - 8 && note.pitch < 69 + 8);
        }
        const NoteTroubles troubles = note_plan_troubles(p);
        const unsigned found[4] = {troubles.stuck, troubles.loops + troubles.stuck, troubles.strays,
                                   troubles.narrow};
        assert_true(found[kind] > 10);
        note_plan_destroy(p);
        rig_destroy(&rig);
    }
}

/* A model that always wants the end: it ends, or goes on where it must. */
static void tunes_end_where_they_may(void **state)
{
    (void)state;
    Rig rig = rig_create(0.02f);
    tensor(&rig, "pitch.bias")[NOTE_END] = 40.0f;
    NotePlanSettings settings = note_plan_defaults();
    for (int endless = 0; endless < 2; endless++) {
        settings.endless = endless;
        NotePlan *p =
            note_plan_create(rig.model, rig.weights, rig.heard, HEARD, rig.now, &settings, NULL);
        NotePlanned note;
        assert_int_equal(note_plan_next(p, &note), 1); /* the held one */
        for (int i = 0; i < 20; i++)
            assert_int_equal(note_plan_next(p, &note), endless);
        note_plan_destroy(p);
    }
    rig_destroy(&rig);
}

/* Nothing heard, one note, two, a note long over, far too high: notes follow from `now` on. */
static void odd_prompts_are_answered(void **state)
{
    (void)state;
    Rig rig = rig_create(0.2f);
    NotePlanSettings settings = note_plan_defaults();
    const NoteHeard odd[3] = {{1.0, 0.2, 139.6}, {1.02, 0.1, 20.1}, {1.04, 0.001, 60.0}};
    for (size_t count = 0; count <= 3; count++)
        for (double now = 1.05; now < 80.0; now *= 8.0) {
            NotePlan *p =
                note_plan_create(rig.model, rig.weights, odd, count, now, &settings, NULL);
            assert_non_null(p);
            NotePlanned note;
            double onset = now - 0.061;
            for (int i = 0; i < 20; i++) {
                assert_int_equal(note_plan_next(p, &note), 1);
                assert_true(isfinite(note.pitch) && note.pitch > 0.0 && note.pitch < 150.0);
                assert_true(note.held || note.onset >= onset);
                onset = note.onset;
            }
            note_plan_destroy(p);
        }
    Error err = {""};
    settings.temperature = 2.1f;
    assert_null(note_plan_create(rig.model, rig.weights, odd, 0, 0.0, &settings, &err));
    assert_non_null(strstr(err.message, "temperature 2.1"));
    settings.temperature = 1.0f;
    settings.top_p = NAN;
    assert_null(note_plan_create(rig.model, rig.weights, odd, 0, 0.0, &settings, &err));
    assert_non_null(strstr(err.message, "top-p"));
    note_plan_destroy(NULL);
    rig_destroy(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(notes_follow_on_the_heard_grid),
        cmocka_unit_test(seeds_decide_and_greed_does_not_ask_them),
        cmocka_unit_test(degenerate_models_are_mended),
        cmocka_unit_test(tunes_end_where_they_may),
        cmocka_unit_test(odd_prompts_are_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
