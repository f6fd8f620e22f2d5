/* The LV2 shell: what the host calls. Each callback names its thread class. */
#include "plugin/atoms.h"
#include "plugin/control.h"
#include "plugin/denormals.h"
#include "plugin/dialogue.h"
#include "plugin/mix.h"
#include "plugin/notify.h"
#include "plugin/settings.h"
#include "plugin/state.h"
#include "plugin/worker.h"

#include <lv2/buf-size/buf-size.h>
#include <lv2/core/lv2_util.h>
#include <lv2/options/options.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The longest block that the host promises, or 0. */
static uint32_t promised_block(const Uris *uris, const LV2_Options_Option *option)
{
    for (; option && option->key; option++)
        if (option->key == uris->bufsz_maxBlockLength && option->type == uris->atom_Int &&
            option->size == sizeof(int32_t) && *(const int32_t *)option->value > 0)
            return (uint32_t) * (const int32_t *)option->value;
    return 0;
}

/* Takes the host's features. False, and said why, if one is missing that there is no way without.
 */
static bool take_features(Brume *self, const LV2_Feature *const *features)
{
    LV2_URID_Map *map = NULL;
    LV2_Log_Log *log = NULL;
    const LV2_Options_Option *options = NULL;
    const char *missing = lv2_features_query(features, LV2_URID__map, &map, true, LV2_LOG__log,
                                             &log, false, LV2_WORKER__schedule, &self->schedule,
                                             false, LV2_OPTIONS__options, &options, false, NULL);
    lv2_log_logger_init(&self->logger, map, log);
    if (missing) {
        lv2_log_error(&self->logger, "Brume needs the host feature <%s>\n", missing);
        return false;
    }
    if (!self->schedule)
        lv2_log_warning(&self->logger,
                        "Brume: the host lacks <%s>: models cannot be changed while it plays\n",
                        LV2_WORKER__schedule);
    if (!options)
        lv2_log_note(&self->logger, "Brume: the host lacks <%s>: blocks may have any length\n",
                     LV2_OPTIONS__options);
    uris_map(&self->uris, map);
    lv2_atom_forge_init(&self->forge, map);
    self->promised = promised_block(&self->uris, options);
    return true;
}

/* The default melody model: where it is, not opened. */
static void find_melody(Brume *self)
{
    Error err = {""};
    char path[CHOICE_PATH];
    free(self->usual_melody);
    self->usual_melody = choice_melody(self->bundle, path, &err) == 0 ? strdup(path) : NULL;
    if (!self->usual_melody)
        lv2_log_error(&self->logger, "Brume: no melody is answered: %s\n",
                      err.message[0] ? err.message : "out of memory");
}

/* A generator for the model that plays; without one the input passes, and the status says why. */
static void make_generator(Brume *self)
{
    Error err = {""};
    Verdict *playing = self->slots[SHARED_TEXTURE].playing;
    SharedModel *gift = playing ? playing->gift : NULL;
    self->settings = settings_read(self, brume_model(self));
    generator_destroy(self->generator);
    find_melody(self);
    self->generator = generator_create(self->rate, gift, self->usual_melody, &self->settings, &err);
    if (self->generator && gift) {
        playing->gift = NULL;
    } else if (!self->generator) {
        char text[sizeof err.message + 64];
        snprintf(text, sizeof text, "Brume makes no sound, the input passes: %s", err.message);
        status_model(&self->status, text, 0);
        lv2_log_error(&self->logger, "%s\n", text);
    }
}

/* The generator gets the melody model in force, while nothing of the instance runs. */
static void give_melody(Brume *self)
{
    const Verdict *chosen = self->slots[SHARED_MELODY].playing;
    if (self->generator)
        generator_settle_melody(self->generator,
                                chosen && chosen->model ? shared_model_keep(chosen->model) : NULL);
}

/* The default model, so that sound is there soon after activate(). */
static void open_default(Brume *self)
{
    bool refused;
    Choice choice = {.session = true};
    Verdict *playing = choice_judge(&choice, self->bundle, &refused);
    self->slots[SHARED_TEXTURE].playing = playing;
    if (playing)
        status_model(&self->status, playing->status, playing->named);
    if (refused)
        lv2_log_error(&self->logger, "Brume: %s\n", playing ? playing->status : "out of memory");
    else
        self->kept[SHARED_TEXTURE] = choice;
    if (playing && playing->model)
        worker_know(self, playing->model);
}

/* Thread class: instantiation. */
static LV2_Handle instantiate(const LV2_Descriptor *descriptor, double rate, const char *bundle,
                              const LV2_Feature *const *features)
{
    (void)descriptor;
    Brume *self = calloc(1, sizeof *self);
    if (!self)
        return NULL;
    self->rate = rate;
    self->bundle = strdup(bundle);
    self->delay = delay_create(rate, NULL);
    if (!self->bundle || !self->delay || !take_features(self, features) ||
        pthread_mutex_init(&self->lock, NULL)) {
        delay_destroy(self->delay);
        free(self->bundle);
        free(self);
        return NULL;
    }
    status_reset(&self->status, rate);
    voice_reset(&self->voice, rate);
    transport_reset(&self->transport, rate);
    open_default(self);
    make_generator(self);
    return self;
}

/* Thread class: audio. */
static void connect_port(LV2_Handle handle, uint32_t port, void *data)
{
    Brume *self = handle;
    if (port < PORT_COUNT)
        self->ports[port] = data;
}

/* The sound goes on where the session was saved, if it was and that fits. */
static void take_place(Brume *self)
{
    Error err = {""};
    const Mode mode = (Mode)lroundf(settings_control(self, PORT_MODE));
    const GeneratorKind kind = mode == MODE_CONTINUE ? GENERATOR_ANSWER : GENERATOR_TEXTURE;
    if (!self->place.bytes || !self->generator)
        return;
    if (generator_resume(self->generator, kind, self->place.bytes, self->place.size,
                         &self->settings, &err)) {
        status_complain(&self->status, COMPLAINT_PLACE);
        lv2_log_warning(&self->logger, "Brume: the sound begins at its start: %s\n", err.message);
        state_forget_place(self);
    } else if (kind == GENERATOR_ANSWER) {
        self->mode = MODE_CONTINUE;
        self->dialogue.state = DIALOGUE_ANSWERS;
    }
}

/* Thread class: instantiation. */
static void activate(LV2_Handle handle)
{
    Brume *self = handle;
    Error err = {""};
    if (worker_settle(self))
        make_generator(self);
    give_melody(self);
    voice_reset(&self->voice, self->rate);
    transport_reset(&self->transport, self->rate);
    self->fresh = self->silent_start = true;
    self->mode = MODE_TEXTURE;
    self->answer = GENERATOR_LISTENS;
    dialogue_rewind(self);
    delay_reset(self->delay);
    self->go = self->start_pending = self->restart = self->hush = false;
    self->freewheel = self->again = false;
    self->underruns = 0;
    atomic_store(&self->lasting, false);
    atomic_store(&self->sounded, false);
    self->status.changed = true;
    for (SharedKind kind = 0; kind < SHARED_KINDS; kind++)
        self->slots[kind].wanted = true;
    self->settings = settings_read(self, brume_model(self));
    self->strength = settings_control(self, PORT_STRENGTH);
    if (self->generator) {
        generator_set(self->generator, &self->settings, self->strength);
        take_place(self);
        if (generator_start(self->generator, &err))
            status_model(&self->status, err.message, 0);
    }
    self->active = true;
}

static void write_output(Brume *self, PortIndex port, float value)
{
    if (self->ports[port])
        *(float *)self->ports[port] = value;
}

static void write_meters(Brume *self)
{
    GeneratorStatus now = {.underruns = 0};
    if (self->generator)
        now = generator_status(self->generator);
    if (now.underruns > self->underruns)
        status_complain(&self->status, COMPLAINT_UNDERRUN);
    self->underruns = now.underruns;
    if (now.answer == GENERATOR_UNSURE && self->answer != GENERATOR_UNSURE)
        status_complain(&self->status, COMPLAINT_UNSURE);
    if (now.answer == GENERATOR_DUMB && self->answer != GENERATOR_DUMB)
        status_complain(&self->status, COMPLAINT_NO_MELODY);
    if (now.answer == GENERATOR_FAILS)
        status_complain(&self->status, COMPLAINT_TRANSFORM);
    if (now.answer == GENERATOR_TARDY)
        status_complain(&self->status, COMPLAINT_TARDY);
    self->answer = now.answer;
    if (now.playing || self->freewheel)
        atomic_store_explicit(&self->sounded, true, memory_order_relaxed);
    write_output(self, PORT_UNDERRUNS, (float)now.underruns);
    write_output(self, PORT_LOAD, now.load);
    write_output(self, PORT_BUFFERED, now.buffered);
    write_output(self, PORT_LATENCY, (float)brume_latency(self));
}

/* The events of an input. */
static Events input_events(const Brume *self, PortIndex port)
{
    const LV2_Atom_Sequence *sequence = self->ports[port];
    return events_of(sequence && sequence->atom.type == self->uris.atom_Sequence ? sequence : NULL);
}

/* Whether a session could go on with what sounds: the host tells nobody later that a key is still
 * held, so what keys play begins anew; and so does what is made of an input that will be another.
 */
static bool lasts(const Brume *self)
{
    if (self->mode == MODE_TEXTURE)
        return self->voice.note == 0 && self->voice.count == 0 && !self->start_pending;
    return self->mode == MODE_CONTINUE && self->dialogue.state == DIALOGUE_ANSWERS;
}

/* Thread class: audio. */
static void run(LV2_Handle handle, uint32_t frames)
{
    Brume *self = handle;
    const uint64_t denormals = denormals_off();
    control_begin_block(self, frames);
    worker_follow(self);
    control_knobs(self);
    uint32_t done = 0;
    Events control = input_events(self, PORT_CONTROL), keys = input_events(self, PORT_KEYS);
    const LV2_Atom_Event *event;
    while ((event = events_take(&control, &keys))) {
        const int64_t time = event->time.frames;
        const uint32_t at = time < (int64_t)done     ? done
                            : time > (int64_t)frames ? frames
                                                     : (uint32_t)time;
        mix_play(self, done, at);
        control_event(self, event);
        done = at;
    }
    mix_play(self, done, frames);
    status_advance(&self->status, frames);
    settings_tell_classes(self);
    atomic_store_explicit(&self->lasting, lasts(self), memory_order_relaxed);
    write_meters(self);
    notify_write(self);
    denormals_restore(denormals);
}

/* Thread class: instantiation. */
static void deactivate(LV2_Handle handle)
{
    Brume *self = handle;
    self->active = false;
    if (self->generator)
        generator_stop(self->generator);
    /* Hosts may switch it off and on again before anybody has heard anything. */
    if (atomic_load(&self->sounded))
        state_forget_place(self);
}

/* Thread class: instantiation. */
static void cleanup(LV2_Handle handle)
{
    Brume *self = handle;
    generator_destroy(self->generator);
    worker_clear(self);
    state_forget_place(self);
    pthread_mutex_destroy(&self->lock);
    delay_destroy(self->delay);
    free(self->usual_melody);
    free(self->bundle);
    free(self);
}

/* Thread class: discovery. */
static const void *extension_data(const char *uri)
{
    if (!strcmp(uri, LV2_STATE__interface))
        return state_interface();
    if (!strcmp(uri, LV2_WORKER__interface))
        return worker_interface();
    return NULL;
}

static const LV2_Descriptor descriptor = {BRUME_URI, instantiate, connect_port, activate,
                                          run,       deactivate,  cleanup,      extension_data};

LV2_SYMBOL_EXPORT const LV2_Descriptor *lv2_descriptor(uint32_t index)
{
    return index == 0 ? &descriptor : NULL;
}
