/* A host for the tests: one instance of a plugin from a bundle, driven block by block. It offers
 * urid:map, options, log, the worker (on a thread of its own) and state with mapPath, and keeps
 * what the plugin says. */
#ifndef BRUME_TESTS_HOST_H
#define BRUME_TESTS_HOST_H

#include <lilv/lilv.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HOST_ROOM 16384 /* longest block that can be run */

/* How many times longer than usual a test waits: a sanitizer slows the model down, and what is
 * tested then is not the time. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HOST_SLOW 10
#else
#define HOST_SLOW 1
#endif

typedef struct Host Host;

/* What the calling thread may do: anything; nothing that could take long (the plugin is in run());
 * or that, but for waiting (it freewheels). A guard takes a state on and returns the one before. */
typedef enum { HOST_UNGUARDED, HOST_GUARDED, HOST_MAY_WAIT } HostGuarded;
typedef HostGuarded (*HostGuard)(HostGuarded state);

/* How a host may be. Zero-initialised: a full one. */
typedef struct HostKind {
    bool no_worker, no_options, no_log;
    uint32_t promised; /* bufsz:maxBlockLength; 0 = 1024 */
    HostGuard guard;   /* around the plugin's part of a block; NULL = none */
} HostKind;

/* Instantiates the plugin in the bundle, not yet active; controls are at their defaults. Ends the
 * program if it can't: the tests could say nothing more. */
Host *host_open(const char *bundle, double rate, HostKind kind);
void host_close(Host *host); /* deactivates too */

void host_activate(Host *host);
void host_deactivate(Host *host);

/* Input and output buffers of a channel. */
float *host_in(Host *host, int channel);
float *host_out(Host *host, int channel);

/* Outputs lie in the inputs' buffers from now on; crossed: left out in right in. */
void host_in_place(Host *host, bool crossed);

void host_set(Host *host, const char *symbol, float value);
float host_get(const Host *host, const char *symbol);

/* Events of the next block; `frame` rises. */
void host_midi(Host *host, uint32_t frame, uint8_t a, uint8_t b, uint8_t c);
void host_position(Host *host, uint32_t frame, int64_t position, float speed, float bar_beat);
void host_choose(Host *host, const char *model);
void host_choose_melody(Host *host, const char *model);
void host_ask(Host *host, const char *property); /* NULL: all */
void host_send_nonsense(Host *host);             /* malformed and foreign events */

/* One block of n <= HOST_ROOM frames, then the worker's answers. */
void host_run(Host *host, uint32_t n);

/* What the plugin's run() of the last block took: by the clock, and of the processor, which counts
 * while nothing else has taken it away (and counts the reading of the clocks with it). */
typedef struct HostTime {
    double seconds, processor;
} HostTime;
HostTime host_took(const Host *host);

/* Freewheeling: `frames` interleaved frames into out, in blocks of `block`. */
void host_export(Host *host, float *out, size_t frames, uint32_t block);

/* At the pace of a sound card: sleeps until the block's time has come. host_pace_begin first. */
void host_pace_begin(Host *host);
void host_run_paced(Host *host, uint32_t n);

/* Seconds by which the next block is late already; negative if it is early. */
double host_late(const Host *host);

/* Sleeps until `before` seconds (less than 1) before the next block's time. */
void host_pace_wait(const Host *host, double before);

/* Whether the worker has nothing left to do, and the plugin was told. */
bool host_idle(Host *host);

/* Runs blocks of 256, paced, until the worker has nothing left to do and the plugin was told, or
 * twenty seconds are over. */
void host_settle(Host *host);

/* What the plugin said last: its status, its models' paths, and its log. */
const char *host_status(const Host *host);
const char *host_model(const Host *host);
const char *host_melody(const Host *host);
const char *host_log(const Host *host);

/* Into folder/state.ttl; and from there, as a host does it: through the worker if the instance is
 * active. */
void host_save(Host *host, const char *folder);
void host_restore(Host *host, const char *folder);

/* From text in Turtle, about the subject <urn:test:state>. */
void host_restore_text(Host *host, const char *turtle);

/* Presets of the bundle: their number, and what one sets. */
size_t host_presets(Host *host, LilvNode **uris, size_t room);
LilvState *host_preset(Host *host, const LilvNode *uri);
void host_restore_preset(Host *host, const LilvState *state);

LilvWorld *host_world(Host *host);
const LilvPlugin *host_plugin(const Host *host);

double host_seconds(void); /* CLOCK_MONOTONIC */

/* The bundle with a tiny model that tests/host/tiny.sh made, and the one that ships. */
const char *host_tiny_bundle(void);
const char *host_shipped_bundle(void);

#endif
