#include "plugin/dialogue.h"

#include "plugin/settings.h"

#include <math.h>

/* From the question to the answer: what composing takes, and a breath. */
#define RESPONSE_SECONDS 1.0

/* Fades: of what sounded in the other mode; of an answer that gives way, where no beat is known. */
#define CHANGE_SECONDS 0.05
#define YIELD_SECONDS  0.3

/* What is heard must be as long as this, for its falling silent to be a question. */
#define LEAST_SECONDS 2.0

static uint32_t samples(const Brume *self, double seconds)
{
    return (uint32_t)(seconds * self->rate);
}

void dialogue_rewind(Brume *self)
{
    Dialogue *dialogue = &self->dialogue;
    listener_reset(&dialogue->listener, self->rate);
    dialogue->event = LISTENER_NOTHING;
    dialogue->state = DIALOGUE_LISTENS;
    dialogue->heard = 0;
    ramp_jump(&dialogue->part, 1.0F);
    if (self->generator)
        generator_forget(self->generator);
}

/* Silence, and ears open. */
static void listen(Brume *self)
{
    generator_listen(self->generator);
    self->dialogue.state = DIALOGUE_LISTENS;
    ramp_jump(&self->dialogue.part, 1.0F);
}

static void change_mode(Brume *self, Mode mode)
{
    self->mode = mode;
    self->settings = settings_read(self, brume_model(self));
    self->strength = settings_control(self, PORT_STRENGTH);
    self->start_pending = self->restart = self->hush = false;
    voice_reset(&self->voice, self->rate);
    dialogue_rewind(self);
    if (mode == MODE_CONTINUE)
        listen(self);
    else if (mode == MODE_TRANSFORM)
        generator_transform(self->generator, &self->settings, self->strength, 0);
    else
        generator_restart(self->generator, &self->settings, 0, true);
}

void dialogue_follow_mode(Brume *self)
{
    Ramp *part = &self->dialogue.part;
    const Mode wanted = (Mode)lroundf(settings_control(self, PORT_MODE));
    if (!self->generator)
        return;
    if (wanted != self->mode) {
        ramp_aim(part, 0.0F, samples(self, CHANGE_SECONDS));
        if (self->silent_start || ramp_silent(part))
            change_mode(self, wanted);
    } else if (self->dialogue.state == DIALOGUE_YIELDS && ramp_silent(part)) {
        listen(self);
    }
    self->silent_start = false;
}

/* What comes in, to be transformed. If some of it is lost, what is late by a constant must begin
 * anew. */
static void feed(Brume *self, const float *left, const float *right, uint32_t n)
{
    if (!self->generator || generator_hear(self->generator, left, right, n))
        return;
    status_complain(&self->status, COMPLAINT_DEAF);
    generator_transform(self->generator, &self->settings, self->strength, n);
}

uint32_t dialogue_listen(Brume *self, const float *left, const float *right, uint32_t n)
{
    Dialogue *dialogue = &self->dialogue;
    uint32_t used = n;
    if (self->mode == MODE_TRANSFORM)
        feed(self, left, right, n);
    if (self->mode != MODE_CONTINUE)
        return n;
    dialogue->event = listener_follow(&dialogue->listener, left, right, n, &used);
    dialogue->heard += used;
    if (self->generator && !generator_hear(self->generator, left, right, used))
        status_complain(&self->status, COMPLAINT_DEAF);
    return used;
}

void dialogue_ask(Brume *self)
{
    if (!self->generator || self->mode != MODE_CONTINUE)
        return;
    const uint32_t wait =
        transport_wait_after(&self->transport, self->sync, samples(self, RESPONSE_SECONDS));
    const ContinuationSettings settings = {
        .seed = self->settings.seed,
        .temperature = settings_control(self, PORT_TEMPERATURE),
        .top_p = settings_control(self, PORT_TOP_P),
        .after = wait / self->rate,
    };
    if (self->dialogue.state == DIALOGUE_YIELDS)
        listen(self);
    generator_answer(self->generator, &settings, wait);
    self->dialogue.state = DIALOGUE_ANSWERS;
    self->dialogue.heard = 0;
}

/* A beat at most; less is more polite. */
static uint32_t yield_time(const Brume *self)
{
    const double beat = transport_beat(&self->transport);
    return samples(self, beat > 0 ? fmin(YIELD_SECONDS, 0.75 * beat) : YIELD_SECONDS);
}

void dialogue_act(Brume *self)
{
    Dialogue *dialogue = &self->dialogue;
    const int answer = (int)lroundf(settings_control(self, PORT_ANSWER));
    const ListenerEvent event = dialogue->event;
    dialogue->event = LISTENER_NOTHING;
    if (event == LISTENER_FALLS_SILENT && answer != ANSWER_ON_REQUEST &&
        (double)dialogue->heard > LEAST_SECONDS * self->rate)
        dialogue_ask(self);
    else if (event == LISTENER_BEGINS && dialogue->state == DIALOGUE_ANSWERS &&
             answer != ANSWER_ALWAYS) {
        dialogue->state = DIALOGUE_YIELDS;
        dialogue->heard = 0;
        ramp_aim(&dialogue->part, 0.0F, yield_time(self));
    }
}
