#include "tests/host/host.h"

#include <lv2/atom/forge.h>
#include <lv2/atom/util.h>
#include <lv2/buf-size/buf-size.h>
#include <lv2/log/log.h>
#include <lv2/midi/midi.h>
#include <lv2/options/options.h>
#include <lv2/patch/patch.h>
#include <lv2/presets/presets.h>
#include <lv2/state/state.h>
#include <lv2/time/time.h>
#include <lv2/urid/urid.h>
#include <lv2/worker/worker.h>

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { URIDS = 512, QUEUE = 64, MESSAGE = 8192, SEQUENCE = 65536, PORTS = 64, LOG = 65536 };

typedef struct Queue {
    char data[QUEUE][MESSAGE];
    uint32_t size[QUEUE];
    unsigned head, tail;
} Queue;

typedef union EventBuffer {
    LV2_Atom_Sequence sequence;
    char bytes[SEQUENCE];
} EventBuffer;

struct Host {
    LilvWorld *world;
    const LilvPlugin *plugin;
    LilvInstance *instance;
    double rate;
    bool active;

    char *uris[URIDS];
    size_t uri_count;
    pthread_mutex_t uri_lock;

    HostKind kind;
    int32_t min_block, max_block;
    LV2_Options_Option options[3];
    LV2_URID_Map map;
    LV2_URID_Unmap unmap;
    LV2_Log_Log log;
    LV2_Worker_Schedule schedule, schedule_now;
    LV2_Feature features[5];
    const LV2_Feature *feature_list[6];

    const LV2_Worker_Interface *worker;
    pthread_t thread;
    pthread_mutex_t queue_lock, work_lock;
    pthread_cond_t queue_filled;
    Queue jobs, answers;
    bool working, quit;

    uint32_t ports;
    float values[PORTS];
    const float *freewheel;
    float in[2][HOST_ROOM], out[2][HOST_ROOM];
    float *out_at[2];
    EventBuffer control, keys, notify;
    LV2_Atom_Forge forge, keys_forge;
    LV2_Atom_Forge_Frame sequence_frame, keys_frame;

    char status[8192], model[8192], melody[8192], said[LOG];
    struct timespec due;
    HostTime took;
};

static void give_up(const char *what)
{
    fprintf(stderr, "host: %s\n", what);
    abort();
}

static LV2_URID map_uri(LV2_URID_Map_Handle handle, const char *uri)
{
    Host *host = handle;
    pthread_mutex_lock(&host->uri_lock);
    size_t i = 0;
    while (i < host->uri_count && strcmp(host->uris[i], uri))
        i++;
    if (i == host->uri_count) {
        if (i == URIDS)
            give_up("too many URIs");
        host->uris[host->uri_count++] = strdup(uri);
    }
    pthread_mutex_unlock(&host->uri_lock);
    return (LV2_URID)i + 1;
}

static const char *unmap_uri(LV2_URID_Unmap_Handle handle, LV2_URID urid)
{
    Host *host = handle;
    return urid > 0 && urid <= host->uri_count ? host->uris[urid - 1] : NULL;
}

static LV2_URID urid(Host *host, const char *uri)
{
    return map_uri(host, uri);
}

static int log_vprintf(LV2_Log_Handle handle, LV2_URID type, const char *format, va_list arguments)
{
    Host *host = handle;
    (void)type;
    const size_t used = strlen(host->said);
    return vsnprintf(host->said + used, LOG - used, format, arguments);
}

static int log_printf(LV2_Log_Handle handle, LV2_URID type, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const int n = log_vprintf(handle, type, format, arguments);
    va_end(arguments);
    return n;
}

/* Under queue_lock. */
static bool queue_put(Queue *queue, uint32_t size, const void *data)
{
    if (queue->tail - queue->head == QUEUE || size > MESSAGE)
        return false;
    memcpy(queue->data[queue->tail % QUEUE], data, size);
    queue->size[queue->tail++ % QUEUE] = size;
    return true;
}

static LV2_Worker_Status respond(LV2_Worker_Respond_Handle handle, uint32_t size, const void *data)
{
    Host *host = handle;
    pthread_mutex_lock(&host->queue_lock);
    const bool put = queue_put(&host->answers, size, data);
    pthread_mutex_unlock(&host->queue_lock);
    return put ? LV2_WORKER_SUCCESS : LV2_WORKER_ERR_NO_SPACE;
}

static HostGuarded guard(const Host *host, HostGuarded state)
{
    return host->kind.guard ? host->kind.guard(state) : HOST_UNGUARDED;
}

/* On the audio thread; what this host does here is not the plugin's fault. */
static LV2_Worker_Status schedule_work(LV2_Worker_Schedule_Handle handle, uint32_t size,
                                       const void *data)
{
    Host *host = handle;
    const HostGuarded was = guard(host, HOST_UNGUARDED);
    pthread_mutex_lock(&host->queue_lock);
    const bool put = queue_put(&host->jobs, size, data);
    pthread_cond_signal(&host->queue_filled);
    pthread_mutex_unlock(&host->queue_lock);
    guard(host, was);
    return put ? LV2_WORKER_SUCCESS : LV2_WORKER_ERR_NO_SPACE;
}

static LV2_Worker_Status work_now(LV2_Worker_Schedule_Handle handle, uint32_t size,
                                  const void *data)
{
    Host *host = handle;
    pthread_mutex_lock(&host->work_lock);
    const LV2_Worker_Status status =
        host->worker->work(lilv_instance_get_handle(host->instance), respond, host, size, data);
    pthread_mutex_unlock(&host->work_lock);
    return status;
}

static void *work_thread(void *user)
{
    Host *host = user;
    char *data = malloc(MESSAGE);
    pthread_mutex_lock(&host->queue_lock);
    while (!host->quit) {
        if (host->jobs.head == host->jobs.tail) {
            pthread_cond_wait(&host->queue_filled, &host->queue_lock);
            continue;
        }
        const uint32_t size = host->jobs.size[host->jobs.head % QUEUE];
        memcpy(data, host->jobs.data[host->jobs.head++ % QUEUE], size);
        host->working = true;
        pthread_mutex_unlock(&host->queue_lock);
        work_now(host, size, data);
        pthread_mutex_lock(&host->queue_lock);
        host->working = false;
    }
    pthread_mutex_unlock(&host->queue_lock);
    free(data);
    return NULL;
}

static void deliver_answers(Host *host)
{
    char data[MESSAGE];
    pthread_mutex_lock(&host->queue_lock);
    while (host->answers.head != host->answers.tail) {
        const uint32_t size = host->answers.size[host->answers.head % QUEUE];
        memcpy(data, host->answers.data[host->answers.head++ % QUEUE], size);
        pthread_mutex_unlock(&host->queue_lock);
        const HostGuarded was = guard(host, HOST_GUARDED);
        host->worker->work_response(lilv_instance_get_handle(host->instance), size, data);
        guard(host, was);
        pthread_mutex_lock(&host->queue_lock);
    }
    pthread_mutex_unlock(&host->queue_lock);
}

static void offer_features(Host *host)
{
    host->map = (LV2_URID_Map){host, map_uri};
    host->unmap = (LV2_URID_Unmap){host, unmap_uri};
    host->log = (LV2_Log_Log){host, log_printf, log_vprintf};
    host->schedule = (LV2_Worker_Schedule){host, schedule_work};
    host->schedule_now = (LV2_Worker_Schedule){host, work_now};
    host->max_block = host->kind.promised > 0 ? (int32_t)host->kind.promised : 1024;
    const LV2_URID type = urid(host, LV2_ATOM__Int);
    host->options[0] =
        (LV2_Options_Option){LV2_OPTIONS_INSTANCE, 0,    urid(host, LV2_BUF_SIZE__minBlockLength),
                             sizeof(int32_t),      type, &host->min_block};
    host->options[1] =
        (LV2_Options_Option){LV2_OPTIONS_INSTANCE, 0,    urid(host, LV2_BUF_SIZE__maxBlockLength),
                             sizeof(int32_t),      type, &host->max_block};
    const LV2_Feature all[] = {{LV2_URID__map, &host->map},
                               {LV2_URID__unmap, &host->unmap},
                               {LV2_WORKER__schedule, &host->schedule},
                               {LV2_OPTIONS__options, host->options},
                               {LV2_LOG__log, &host->log}};
    const bool refused[] = {false, false, host->kind.no_worker, host->kind.no_options,
                            host->kind.no_log};
    size_t count = 0;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        host->features[i] = all[i];
        if (!refused[i])
            host->feature_list[count++] = &host->features[i];
    }
}

static LilvNode *bundle_node(LilvWorld *world, const char *bundle)
{
    char absolute[4096], folder[4200];
    if (!realpath(bundle, absolute))
        give_up(bundle);
    snprintf(folder, sizeof folder, "%s/", absolute);
    return lilv_new_file_uri(world, NULL, folder);
}

static uint32_t port_index(const Host *host, const char *symbol)
{
    LilvNode *node = lilv_new_string(host->world, symbol);
    const LilvPort *port = lilv_plugin_get_port_by_symbol(host->plugin, node);
    lilv_node_free(node);
    if (!port)
        give_up(symbol);
    return lilv_port_get_index(host->plugin, port);
}

static void connect_ports(Host *host)
{
    float defaults[PORTS];
    LilvNode *audio = lilv_new_uri(host->world, LV2_CORE__AudioPort);
    LilvNode *control = lilv_new_uri(host->world, LV2_CORE__ControlPort);
    LilvNode *input = lilv_new_uri(host->world, LV2_CORE__InputPort);
    LilvNode *midi = lilv_new_uri(host->world, LV2_MIDI__MidiEvent);
    int ins = 0, outs = 0;
    host->ports = lilv_plugin_get_num_ports(host->plugin);
    if (host->ports > PORTS)
        give_up("too many ports");
    lilv_plugin_get_port_ranges_float(host->plugin, NULL, NULL, defaults);
    for (uint32_t i = 0; i < host->ports; i++) {
        const LilvPort *port = lilv_plugin_get_port_by_index(host->plugin, i);
        const bool is_input = lilv_port_is_a(host->plugin, port, input);
        void *data = is_input ? (void *)&host->control : (void *)&host->notify;
        if (lilv_port_is_a(host->plugin, port, control)) {
            host->values[i] = defaults[i];
            data = &host->values[i];
        } else if (lilv_port_is_a(host->plugin, port, audio)) {
            data = is_input ? host->in[ins++] : host->out[outs++];
        } else if (lilv_port_supports_event(host->plugin, port, midi)) {
            data = &host->keys;
        }
        lilv_instance_connect_port(host->instance, i, data);
    }
    host->out_at[0] = host->out[0];
    host->out_at[1] = host->out[1];
    host->freewheel = &host->values[port_index(host, "freewheel")];
    lilv_node_free(audio);
    lilv_node_free(control);
    lilv_node_free(input);
    lilv_node_free(midi);
}

static void begin_events(Host *host)
{
    lv2_atom_forge_set_buffer(&host->forge, (uint8_t *)&host->control, SEQUENCE);
    lv2_atom_forge_sequence_head(&host->forge, &host->sequence_frame, 0);
    lv2_atom_forge_set_buffer(&host->keys_forge, (uint8_t *)&host->keys, SEQUENCE);
    lv2_atom_forge_sequence_head(&host->keys_forge, &host->keys_frame, 0);
}

Host *host_open(const char *bundle, double rate, HostKind kind)
{
    Host *host = calloc(1, sizeof *host);
    if (!host)
        give_up("out of memory");
    host->rate = rate;
    host->kind = kind;
    pthread_mutex_init(&host->uri_lock, NULL);
    pthread_mutex_init(&host->queue_lock, NULL);
    pthread_mutex_init(&host->work_lock, NULL);
    pthread_cond_init(&host->queue_filled, NULL);
    host->world = lilv_world_new();
    LilvNode *node = bundle_node(host->world, bundle);
    lilv_world_load_bundle(host->world, node);
    lilv_node_free(node);
    const LilvPlugins *plugins = lilv_world_get_all_plugins(host->world);
    host->plugin = lilv_plugins_get(plugins, lilv_plugins_begin(plugins));
    if (!host->plugin)
        give_up("no plugin in the bundle");
    offer_features(host);
    lv2_atom_forge_init(&host->forge, &host->map);
    lv2_atom_forge_init(&host->keys_forge, &host->map);
    host->instance = lilv_plugin_instantiate(host->plugin, rate, host->feature_list);
    if (!host->instance)
        give_up("the plugin cannot be instantiated");
    connect_ports(host);
    begin_events(host);
    host->worker = lilv_instance_get_extension_data(host->instance, LV2_WORKER__interface);
    if (!kind.no_worker)
        pthread_create(&host->thread, NULL, work_thread, host);
    return host;
}

void host_close(Host *host)
{
    host_deactivate(host);
    if (!host->kind.no_worker) {
        pthread_mutex_lock(&host->queue_lock);
        host->quit = true;
        pthread_cond_signal(&host->queue_filled);
        pthread_mutex_unlock(&host->queue_lock);
        pthread_join(host->thread, NULL);
        /* Jobs that are left would free something of the plugin's. */
        for (; host->jobs.head != host->jobs.tail; host->jobs.head++)
            work_now(host, host->jobs.size[host->jobs.head % QUEUE],
                     host->jobs.data[host->jobs.head % QUEUE]);
        deliver_answers(host);
    }
    lilv_instance_free(host->instance);
    lilv_world_free(host->world);
    for (size_t i = 0; i < host->uri_count; i++)
        free(host->uris[i]);
    free(host);
}

void host_activate(Host *host)
{
    if (!host->active)
        lilv_instance_activate(host->instance);
    host->active = true;
}

void host_deactivate(Host *host)
{
    if (host->active)
        lilv_instance_deactivate(host->instance);
    host->active = false;
}

float *host_in(Host *host, int channel)
{
    return host->in[channel];
}

float *host_out(Host *host, int channel)
{
    return host->out_at[channel];
}

void host_in_place(Host *host, bool crossed)
{
    for (int c = 0; c < 2; c++) {
        host->out_at[c] = host->in[crossed ? 1 - c : c];
        lilv_instance_connect_port(host->instance, (uint32_t)(2 + c), host->out_at[c]);
    }
}

void host_set(Host *host, const char *symbol, float value)
{
    host->values[port_index(host, symbol)] = value;
}

float host_get(const Host *host, const char *symbol)
{
    return host->values[port_index(host, symbol)];
}

void host_midi(Host *host, uint32_t frame, uint8_t a, uint8_t b, uint8_t c)
{
    const uint8_t message[] = {a, b, c};
    lv2_atom_forge_frame_time(&host->keys_forge, frame);
    lv2_atom_forge_atom(&host->keys_forge, sizeof message, urid(host, LV2_MIDI__MidiEvent));
    lv2_atom_forge_write(&host->keys_forge, message, sizeof message);
}

void host_position(Host *host, uint32_t frame, int64_t position, float speed, float bar_beat)
{
    LV2_Atom_Forge *forge = &host->forge;
    LV2_Atom_Forge_Frame object;
    lv2_atom_forge_frame_time(forge, frame);
    lv2_atom_forge_object(forge, &object, 0, urid(host, LV2_TIME__Position));
    lv2_atom_forge_key(forge, urid(host, LV2_TIME__frame));
    lv2_atom_forge_long(forge, position);
    lv2_atom_forge_key(forge, urid(host, LV2_TIME__speed));
    lv2_atom_forge_float(forge, speed);
    lv2_atom_forge_key(forge, urid(host, LV2_TIME__barBeat));
    lv2_atom_forge_float(forge, bar_beat);
    lv2_atom_forge_key(forge, urid(host, LV2_TIME__beatsPerBar));
    lv2_atom_forge_float(forge, 4);
    lv2_atom_forge_key(forge, urid(host, LV2_TIME__beatsPerMinute));
    lv2_atom_forge_float(forge, 120);
    lv2_atom_forge_pop(forge, &object);
}

static void choose(Host *host, const char *property, const char *path)
{
    LV2_Atom_Forge *forge = &host->forge;
    LV2_Atom_Forge_Frame object;
    lv2_atom_forge_frame_time(forge, 0);
    lv2_atom_forge_object(forge, &object, 0, urid(host, LV2_PATCH__Set));
    lv2_atom_forge_key(forge, urid(host, LV2_PATCH__property));
    lv2_atom_forge_urid(forge, urid(host, property));
    lv2_atom_forge_key(forge, urid(host, LV2_PATCH__value));
    lv2_atom_forge_path(forge, path, (uint32_t)strlen(path));
    lv2_atom_forge_pop(forge, &object);
}

void host_choose(Host *host, const char *model)
{
    choose(host, "urn:brume:brume#model", model);
}

void host_choose_melody(Host *host, const char *model)
{
    choose(host, "urn:brume:brume#melody", model);
}

void host_ask(Host *host, const char *property)
{
    LV2_Atom_Forge *forge = &host->forge;
    LV2_Atom_Forge_Frame object;
    lv2_atom_forge_frame_time(forge, 0);
    lv2_atom_forge_object(forge, &object, 0, urid(host, LV2_PATCH__Get));
    if (property) {
        lv2_atom_forge_key(forge, urid(host, LV2_PATCH__property));
        lv2_atom_forge_urid(forge, urid(host, property));
    }
    lv2_atom_forge_pop(forge, &object);
}

void host_send_nonsense(Host *host)
{
    LV2_Atom_Forge *forge = &host->forge;
    LV2_Atom_Forge_Frame object;
    /* An object that says it is one, and is empty. */
    lv2_atom_forge_frame_time(forge, 0);
    lv2_atom_forge_atom(forge, 0, urid(host, LV2_ATOM__Object));
    /* MIDI of no byte, of one, and with data bytes that are none. */
    lv2_atom_forge_frame_time(forge, 0);
    lv2_atom_forge_atom(forge, 0, urid(host, LV2_MIDI__MidiEvent));
    lv2_atom_forge_frame_time(forge, 0);
    lv2_atom_forge_atom(forge, 1, urid(host, LV2_MIDI__MidiEvent));
    lv2_atom_forge_write(forge, "\x90", 1);
    host_midi(host, 0, 0x90, 0xff, 0xff);
    /* Models that are numbers; a model for somebody else; an unknown property; no value. */
    const char *const properties[] = {"urn:brume:brume#model", "urn:brume:brume#status", "urn:x",
                                      "urn:brume:brume#melody"};
    for (size_t i = 0; i < sizeof properties / sizeof properties[0]; i++) {
        lv2_atom_forge_frame_time(forge, 0);
        lv2_atom_forge_object(forge, &object, 0, urid(host, LV2_PATCH__Set));
        lv2_atom_forge_key(forge, urid(host, LV2_PATCH__property));
        lv2_atom_forge_urid(forge, urid(host, properties[i]));
        if (i != 1) {
            lv2_atom_forge_key(forge, urid(host, LV2_PATCH__value));
            lv2_atom_forge_int(forge, 7);
        }
        lv2_atom_forge_pop(forge, &object);
    }
    lv2_atom_forge_frame_time(forge, 0);
    lv2_atom_forge_object(forge, &object, 0, urid(host, LV2_PATCH__Set));
    lv2_atom_forge_key(forge, urid(host, LV2_PATCH__subject));
    lv2_atom_forge_urid(forge, urid(host, "urn:somebody:else"));
    lv2_atom_forge_key(forge, urid(host, LV2_PATCH__property));
    lv2_atom_forge_urid(forge, urid(host, "urn:brume:brume#model"));
    lv2_atom_forge_key(forge, urid(host, LV2_PATCH__value));
    lv2_atom_forge_path(forge, "/nowhere", 8);
    lv2_atom_forge_pop(forge, &object);
}

/* Keeps what the plugin says with patch:Set. */
static void listen(Host *host)
{
    const LV2_URID set = urid(host, LV2_PATCH__Set);
    const LV2_URID status = urid(host, "urn:brume:brume#status");
    const LV2_URID model = urid(host, "urn:brume:brume#model");
    const LV2_URID melody = urid(host, "urn:brume:brume#melody");
    LV2_ATOM_SEQUENCE_FOREACH(&host->notify.sequence, event)
    {
        const LV2_Atom_Object *object = (const LV2_Atom_Object *)&event->body;
        const LV2_Atom *property = NULL, *value = NULL;
        if (object->body.otype != set)
            give_up("the plugin says something that is no patch:Set");
        lv2_atom_object_get(object, urid(host, LV2_PATCH__property), &property,
                            urid(host, LV2_PATCH__value), &value, 0);
        if (!property || !value)
            give_up("the plugin sets something to nothing");
        const LV2_URID key = ((const LV2_Atom_URID *)property)->body;
        const char *text = LV2_ATOM_BODY_CONST(value);
        if (key == status && value->type == urid(host, LV2_ATOM__String))
            snprintf(host->status, sizeof host->status, "%s", text);
        else if (key == model && value->type == urid(host, LV2_ATOM__Path))
            snprintf(host->model, sizeof host->model, "%s", text);
        else if (key == melody && value->type == urid(host, LV2_ATOM__Path))
            snprintf(host->melody, sizeof host->melody, "%s", text);
        else
            give_up("the plugin sets something that it does not have");
    }
}

/* Of this thread. */
static double processor_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

HostTime host_took(const Host *host)
{
    return host->took;
}

void host_run(Host *host, uint32_t n)
{
    if (n > HOST_ROOM || !host->active)
        give_up("host_run: not active, or too long a block");
    lv2_atom_forge_pop(&host->forge, &host->sequence_frame);
    lv2_atom_forge_pop(&host->keys_forge, &host->keys_frame);
    host->notify.sequence.atom.size = SEQUENCE - sizeof(LV2_Atom);
    host->notify.sequence.atom.type = urid(host, LV2_ATOM__Chunk);
    const HostGuarded meant = *host->freewheel > 0.5F ? HOST_MAY_WAIT : HOST_GUARDED;
    const double used = processor_seconds(), begin = host_seconds();
    const HostGuarded was = guard(host, meant);
    lilv_instance_run(host->instance, n);
    guard(host, was);
    host->took = (HostTime){host_seconds() - begin, 0};
    host->took.processor = processor_seconds() - used;
    if (host->notify.sequence.atom.type != urid(host, LV2_ATOM__Sequence))
        give_up("the plugin left no sequence at notify");
    listen(host);
    if (!host->kind.no_worker)
        deliver_answers(host);
    begin_events(host);
}

void host_export(Host *host, float *out, size_t frames, uint32_t block)
{
    host_set(host, "freewheel", 1);
    for (size_t done = 0; done < frames;) {
        const uint32_t n = frames - done < block ? (uint32_t)(frames - done) : block;
        host_run(host, n);
        for (uint32_t i = 0; i < n; i++) {
            out[2 * (done + i)] = host->out_at[0][i];
            out[2 * (done + i) + 1] = host->out_at[1][i];
        }
        done += n;
    }
}

void host_pace_begin(Host *host)
{
    clock_gettime(CLOCK_MONOTONIC, &host->due);
}

void host_pace_wait(const Host *host, double before)
{
    struct timespec due = host->due;
    due.tv_nsec -= (long)(1e9 * before);
    if (due.tv_nsec < 0) {
        due.tv_nsec += 1000000000;
        due.tv_sec--;
    }
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
}

double host_late(const Host *host)
{
    return host_seconds() - (double)host->due.tv_sec - 1e-9 * (double)host->due.tv_nsec;
}

void host_run_paced(Host *host, uint32_t n)
{
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &host->due, NULL);
    host_run(host, n);
    host->due.tv_nsec += (long)(n * 1e9 / host->rate);
    while (host->due.tv_nsec >= 1000000000) {
        host->due.tv_nsec -= 1000000000;
        host->due.tv_sec++;
    }
}

bool host_idle(Host *host)
{
    pthread_mutex_lock(&host->queue_lock);
    const bool idle = host->jobs.head == host->jobs.tail && !host->working &&
                      host->answers.head == host->answers.tail;
    pthread_mutex_unlock(&host->queue_lock);
    return idle;
}

void host_settle(Host *host)
{
    const double begin = host_seconds();
    host_pace_begin(host);
    for (int quiet = 0; quiet < 8 && host_seconds() - begin < 20;) {
        host_run_paced(host, 256);
        quiet = host_idle(host) ? quiet + 1 : 0;
    }
}

const char *host_status(const Host *host)
{
    return host->status;
}

const char *host_model(const Host *host)
{
    return host->model;
}

const char *host_melody(const Host *host)
{
    return host->melody;
}

const char *host_log(const Host *host)
{
    return host->said;
}

static const void *port_value_get(const char *symbol, void *user, uint32_t *size, uint32_t *type)
{
    Host *host = user;
    *size = sizeof(float);
    *type = urid(host, LV2_ATOM__Float);
    return &host->values[port_index(host, symbol)];
}

static void port_value_set(const char *symbol, void *user, const void *value, uint32_t size,
                           uint32_t type)
{
    Host *host = user;
    if (size != sizeof(float))
        give_up("a port's value in a state is no 32 bits");
    float number;
    int32_t whole;
    memcpy(&number, value, sizeof number);
    memcpy(&whole, value, sizeof whole);
    host_set(host, symbol, type == urid(host, LV2_ATOM__Float) ? number : (float)whole);
}

void host_save(Host *host, const char *folder)
{
    mkdir(folder, 0777);
    LilvState *state = lilv_state_new_from_instance(
        host->plugin, host->instance, &host->map, folder, folder, folder, folder, port_value_get,
        host, LV2_STATE_IS_POD | LV2_STATE_IS_PORTABLE, NULL);
    if (!state ||
        lilv_state_save(host->world, &host->map, &host->unmap, state, NULL, folder, "state.ttl"))
        give_up("the state cannot be saved");
    lilv_state_free(state);
}

static void restore(Host *host, const LilvState *state)
{
    const LV2_Feature now = {LV2_WORKER__schedule, &host->schedule_now};
    const LV2_Feature *with[] = {&host->features[0], &now, NULL};
    const LV2_Feature *without[] = {&host->features[0], NULL};
    lilv_state_restore(state, host->instance, port_value_set, host, 0,
                       host->kind.no_worker ? without : with);
}

void host_restore(Host *host, const char *folder)
{
    char file[4200];
    snprintf(file, sizeof file, "%s/state.ttl", folder);
    LilvState *state = lilv_state_new_from_file(host->world, &host->map, NULL, file);
    if (!state)
        give_up("the state cannot be read");
    restore(host, state);
    lilv_state_free(state);
}

void host_restore_text(Host *host, const char *turtle)
{
    LilvState *state = lilv_state_new_from_string(host->world, &host->map, turtle);
    if (!state)
        give_up("the state cannot be read");
    restore(host, state);
    lilv_state_free(state);
}

size_t host_presets(Host *host, LilvNode **uris, size_t room)
{
    LilvNode *kind = lilv_new_uri(host->world, LV2_PRESETS__Preset);
    LilvNodes *found = lilv_plugin_get_related(host->plugin, kind);
    size_t count = 0;
    LILV_FOREACH(nodes, i, found)
    {
        if (count < room)
            uris[count++] = lilv_node_duplicate(lilv_nodes_get(found, i));
    }
    lilv_nodes_free(found);
    lilv_node_free(kind);
    return count;
}

LilvState *host_preset(Host *host, const LilvNode *uri)
{
    lilv_world_load_resource(host->world, uri);
    LilvState *state = lilv_state_new_from_world(host->world, &host->map, uri);
    lilv_world_unload_resource(host->world, uri); /* or the world grows with each */
    return state;
}

void host_restore_preset(Host *host, const LilvState *state)
{
    restore(host, state);
}

LilvWorld *host_world(Host *host)
{
    return host->world;
}

const LilvPlugin *host_plugin(const Host *host)
{
    return host->plugin;
}

double host_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static const char *in_build(const char *path)
{
    static char whole[2][4200];
    static unsigned turn;
    const char *build = getenv("BUILD");
    char *to = whole[turn++ % 2];
    snprintf(to, sizeof whole[0], "%s/%s", build ? build : "build", path);
    return to;
}

const char *host_tiny_bundle(void)
{
    return in_build("tests/host/tiny/brume.lv2");
}

const char *host_shipped_bundle(void)
{
    return in_build("brume.lv2");
}
