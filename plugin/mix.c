#include "plugin/mix.h"

#include "dsp/gain.h"
#include "plugin/dialogue.h"
#include "plugin/settings.h"

#include <math.h>
#include <string.h>

#define RAMP_SECONDS 0.02

/* So long before the beat a texture that is to start on it is asked for: more than making it takes,
 * less than the sound that is ready. */
#define LEAD_SECONDS 0.4

/* Louder is no sound; and what is less stays finite whatever the gains. */
#define ABSURD 1e30f

/* At its lower end a level is silence. Worked out anew only when the knob has moved. */
static float level_gain(Brume *self, PortIndex port, Level *level)
{
    const float db = settings_control(self, port);
    if (db != level->db || self->fresh)
        *level =
            (Level){.db = db, .gain = db > port_range(port)->minimum ? gain_from_db(db) : 0.0f};
    return level->gain;
}

void mix_aim(Brume *self)
{
    const struct {
        Ramp *ramp;
        float target;
    } gains[] = {
        {&self->dry, level_gain(self, PORT_DRY, &self->dry_level)},
        {&self->wet, level_gain(self, PORT_WET, &self->wet_level)},
        {&self->enabled, settings_control(self, PORT_ENABLED) > 0.5f ? 1.0f : 0.0f},
    };
    for (size_t i = 0; i < sizeof gains / sizeof gains[0]; i++)
        if (self->fresh)
            ramp_jump(gains[i].ramp, gains[i].target);
        else
            ramp_aim(gains[i].ramp, gains[i].target, (uint32_t)(RAMP_SECONDS * self->rate));
    self->fresh = false;
}

void mix_start(Brume *self)
{
    if (self->mode == MODE_CONTINUE)
        dialogue_ask(self);
    if (self->mode != MODE_TEXTURE)
        return;
    self->start_pending = true;
    self->start_asked = false;
}

void mix_rewind(Brume *self)
{
    voice_reset(&self->voice, self->rate);
    dialogue_rewind(self);
    self->start_pending = self->restart = false;
    self->start_wait = 0;
    self->again = self->fresh = self->silent_start = true;
    mix_aim(self);
}

/* Asks the generator for what knobs and keys say by now. Once before each piece, so that several of
 * them at the same frame are one command. */
static void ask_generator(Brume *self)
{
    self->settings = settings_read(self, brume_model(self));
    self->strength = settings_control(self, PORT_STRENGTH);
    if (self->generator && self->restart)
        generator_restart(self->generator, &self->settings, self->start_wait, self->hush);
    else if (self->generator)
        generator_set(self->generator, &self->settings, self->strength);
    self->restart = self->hush = false;
}

/* The input without NaN, infinity and the like. */
static void take_input(Brume *self, const float *in, float *out, uint32_t n)
{
    int32_t bad = 0;
    if (!in) {
        memset(out, 0, n * sizeof *out);
        return;
    }
    for (uint32_t i = 0; i < n; i++) {
        const int32_t insane = !(fabsf(in[i]) < ABSURD);
        out[i] = insane ? 0.0f : in[i];
        bad |= insane;
    }
    if (bad)
        status_complain(&self->status, COMPLAINT_INPUT);
}

/* The generator's next n frames. While nobody could hear a texture, it stands still and costs
 * nothing. */
static void take_sound(Brume *self, float *left, float *right, uint32_t n)
{
    if (self->generator && self->freewheel) {
        generator_read_waiting(self->generator, left, right, n, self->again);
        self->again = false;
        return;
    }
    const bool heard = !ramp_silent(&self->enabled) && !ramp_silent(&self->voice.level);
    if (self->generator && (heard || self->mode != MODE_TEXTURE)) {
        generator_read(self->generator, left, right, n);
        return;
    }
    memset(left, 0, n * sizeof *left);
    memset(right, 0, n * sizeof *right);
}

/* dry (left and right) and wet, weighted and added into wet. While no gain moves, which is nearly
 * always, they are the same for all frames. */
static void add_dry_and_wet(Brume *self, uint32_t n)
{
    const float *dry_l = self->scratch[0], *dry_r = self->scratch[1];
    float *wet_l = self->scratch[2], *wet_r = self->scratch[3];
    Ramp *const level = &self->voice.level, *const part = &self->dialogue.part;
    if (ramp_steady(&self->enabled) && ramp_steady(&self->dry) && ramp_steady(&self->wet) &&
        ramp_steady(level) && ramp_steady(part)) {
        const float on = self->enabled.value;
        const float dry = on * self->dry.value + (1.0f - on);
        const float wet = on * self->wet.value * level->value * part->value;
        for (uint32_t i = 0; i < n; i++) {
            wet_l[i] = dry * dry_l[i] + wet * wet_l[i];
            wet_r[i] = dry * dry_r[i] + wet * wet_r[i];
        }
        return;
    }
    for (uint32_t i = 0; i < n; i++) {
        const float on = ramp_next(&self->enabled);
        const float dry = on * ramp_next(&self->dry) + (1.0f - on);
        const float wet = on * ramp_next(&self->wet) * ramp_next(level) * ramp_next(part);
        wet_l[i] = dry * dry_l[i] + wet * wet_l[i];
        wet_r[i] = dry * dry_r[i] + wet * wet_r[i];
    }
}

/* n <= BRUME_PIECE frames from frame `at` of the block, or fewer; returns how many. An output may
 * be either input's buffer. */
static uint32_t play_piece(Brume *self, uint32_t at, uint32_t n)
{
    const float *in_l = self->ports[PORT_IN_L], *in_r = self->ports[PORT_IN_R];
    float *out_l = self->ports[PORT_OUT_L], *out_r = self->ports[PORT_OUT_R];
    take_input(self, in_l ? in_l + at : NULL, self->scratch[0], n);
    take_input(self, in_r ? in_r + at : NULL, self->scratch[1], n);
    n = dialogue_listen(self, self->scratch[0], self->scratch[1], n);
    delay_run(self->delay, brume_latency(self), self->scratch[0], self->scratch[1], n);
    take_sound(self, self->scratch[2], self->scratch[3], n);
    add_dry_and_wet(self, n);
    if (out_l)
        memcpy(out_l + at, self->scratch[2], n * sizeof *out_l);
    if (out_r)
        memcpy(out_r + at, self->scratch[3], n * sizeof *out_r);
    return n;
}

/* What waits for the beat: is asked for ahead of it, and held back until it. An export, which waits
 * for the generator anyhow, asks on the beat. Returns how many of n frames may be played at once.
 */
static uint32_t follow_beat(Brume *self, uint32_t n)
{
    const uint32_t wait = transport_wait(&self->transport, self->sync);
    if (self->start_asked)
        generator_hold(self->generator, wait);
    else if (wait == 0 ||
             (self->generator && !self->freewheel && wait < (uint32_t)(LEAD_SECONDS * self->rate)))
        self->restart = self->start_asked = true;
    self->start_wait = wait;
    self->start_pending = wait > 0;
    return wait > 0 && wait < n ? wait : n;
}

void mix_play(Brume *self, uint32_t from, uint32_t to)
{
    while (from < to) {
        uint32_t n = to - from < BRUME_PIECE ? to - from : BRUME_PIECE;
        dialogue_follow_mode(self);
        if (self->start_pending)
            n = follow_beat(self, n);
        ask_generator(self);
        n = play_piece(self, from, n);
        transport_advance(&self->transport, n);
        dialogue_act(self);
        from += n;
    }
}
