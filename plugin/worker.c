#include "plugin/worker.h"

#include "plugin/settings.h"

#include <stddef.h>
#include <string.h>

typedef enum JobKind { JOB_JUDGE, JOB_FREE } JobKind;

/* Plain data; only as much of it is sent as the path needs. */
typedef struct Job {
    JobKind kind;
    Verdict *spent; /* of JOB_FREE: a list */
    Choice choice;  /* of JOB_JUDGE */
} Job;

#define JOB_HEAD offsetof(Job, choice.path)

static bool send(const LV2_Worker_Schedule *schedule, const Job *job, size_t size)
{
    return schedule->schedule_work(schedule->handle, (uint32_t)size, job) == LV2_WORKER_SUCCESS;
}

void worker_load(Brume *self, SharedKind kind, const char *path, size_t length)
{
    if (!self->schedule) {
        status_complain(&self->status, COMPLAINT_NO_WORKER);
        return;
    }
    Job job = {.kind = JOB_JUDGE, .choice.kind = kind};
    memcpy(job.choice.path, path, length);
    if (!send(self->schedule, &job, JOB_HEAD + length + 1))
        status_complain(&self->status, COMPLAINT_WORKER_FULL);
}

/* Audio thread: to the list of those that the worker is to free. */
static void spend(Brume *self, Verdict *verdict)
{
    if (verdict) {
        verdict->next = self->spent;
        self->spent = verdict;
    }
}

static void take_incoming(Brume *self, Slot *slot)
{
    Verdict *verdict = atomic_exchange(&slot->incoming, NULL);
    if (!verdict)
        return;
    if (verdict->kind == SHARED_TEXTURE)
        status_model(&self->status, verdict->status, verdict->named);
    else
        status_melody(&self->status, verdict->status);
    slot->wanted = true;
    if (!verdict->model && !verdict->usual) {
        spend(self, verdict);
        return;
    }
    spend(self, slot->waiting);
    slot->waiting = verdict;
}

/* What waited is in force. */
static void promote(Brume *self, Slot *slot)
{
    spend(self, slot->playing);
    slot->playing = slot->waiting;
    slot->waiting = NULL;
    slot->wanted = true;
}

/* The generator takes one model at a time: until then it waits. */
static void hand_over_texture(Brume *self, Slot *slot)
{
    if (!slot->waiting)
        return;
    ClassPin before[CLASS_KNOBS];
    memcpy(before, self->pins, sizeof before);
    memcpy(self->pins, slot->waiting->pins, sizeof before);
    if (slot->waiting->model != brume_model(self)) {
        const TextureSettings settings = settings_read(self, slot->waiting->model);
        if (!self->generator || !generator_swap(self->generator, slot->waiting->gift, &settings)) {
            memcpy(self->pins, before, sizeof before);
            return;
        }
        slot->waiting->gift = NULL;
        self->settings = settings;
    }
    promote(self, slot);
}

static void hand_over_melody(Brume *self, Slot *slot)
{
    if (!slot->waiting || !self->generator ||
        !generator_melody(self->generator, slot->waiting->gift))
        return;
    slot->waiting->gift = NULL;
    promote(self, slot);
}

void worker_follow(Brume *self)
{
    for (int kind = 0; kind < SHARED_KINDS; kind++)
        take_incoming(self, &self->slots[kind]);
    hand_over_texture(self, &self->slots[SHARED_TEXTURE]);
    hand_over_melody(self, &self->slots[SHARED_MELODY]);
    if (!self->spent || !self->schedule)
        return;
    const Job job = {.kind = JOB_FREE, .spent = self->spent};
    if (send(self->schedule, &job, offsetof(Job, choice)))
        self->spent = NULL;
}

static void free_list(Verdict *verdict)
{
    while (verdict) {
        Verdict *next = verdict->next;
        verdict_destroy(verdict);
        verdict = next;
    }
}

/* Opens what is asked for and remembers it for save(). The verdict, or NULL out of memory. */
static Verdict *judge(Brume *self, Choice *choice)
{
    bool refused;
    Verdict *verdict = choice_judge(choice, self->bundle, &refused);
    if (!verdict || refused)
        lv2_log_error(&self->logger, "Brume: %s\n", verdict ? verdict->status : "out of memory");
    if (!refused || choice->session) {
        pthread_mutex_lock(&self->lock);
        self->kept[choice->kind] = *choice;
        pthread_mutex_unlock(&self->lock);
    }
    if (verdict && verdict->model && choice->kind == SHARED_TEXTURE)
        worker_know(self, verdict->model);
    return verdict;
}

void worker_know(Brume *self, SharedModel *model)
{
    SharedModel *known = shared_model_keep(model);
    pthread_mutex_lock(&self->lock);
    SharedModel *before = self->known;
    self->known = known;
    pthread_mutex_unlock(&self->lock);
    shared_model_release(before);
}

/* Not on the audio thread. */
static void put_incoming(Brume *self, Verdict *verdict)
{
    verdict_destroy(atomic_exchange(&self->slots[verdict->kind].incoming, verdict));
}

void worker_restore(Brume *self, const Choice *choice, const LV2_Worker_Schedule *schedule)
{
    if (schedule && self->active) {
        const Job job = {.kind = JOB_JUDGE, .choice = *choice};
        if (send(schedule, &job, JOB_HEAD + strlen(choice->path) + 1))
            return;
    }
    /* There is no worker, or none is needed. */
    Choice here = *choice;
    Verdict *verdict = judge(self, &here);
    if (verdict)
        put_incoming(self, verdict);
}

bool worker_settle(Brume *self)
{
    free_list(self->spent);
    self->spent = NULL;
    for (int kind = 0; kind < SHARED_KINDS; kind++)
        take_incoming(self, &self->slots[kind]);
    Slot *slot = &self->slots[SHARED_TEXTURE];
    if (self->slots[SHARED_MELODY].waiting)
        promote(self, &self->slots[SHARED_MELODY]);
    if (!slot->waiting)
        return false;
    const bool other = slot->waiting->model != brume_model(self);
    memcpy(self->pins, slot->waiting->pins, sizeof self->pins);
    promote(self, slot);
    return other;
}

void worker_clear(Brume *self)
{
    for (int kind = 0; kind < SHARED_KINDS; kind++) {
        verdict_destroy(atomic_exchange(&self->slots[kind].incoming, NULL));
        verdict_destroy(self->slots[kind].waiting);
        verdict_destroy(self->slots[kind].playing);
    }
    free_list(self->spent);
    shared_model_release(self->known);
}

/* Worker thread, or whichever the host restores on. */
static LV2_Worker_Status work(LV2_Handle handle, LV2_Worker_Respond_Function respond,
                              LV2_Worker_Respond_Handle respond_handle, uint32_t size,
                              const void *data)
{
    Brume *self = handle;
    Job job = {.kind = JOB_FREE};
    if (size > sizeof job)
        return LV2_WORKER_ERR_UNKNOWN;
    memcpy(&job, data, size);
    if (job.kind == JOB_FREE) {
        free_list(job.spent);
        return LV2_WORKER_SUCCESS;
    }
    Verdict *verdict = judge(self, &job.choice);
    if (!verdict)
        return LV2_WORKER_ERR_UNKNOWN;
    const LV2_Worker_Status status = respond(respond_handle, sizeof verdict, &verdict);
    if (status != LV2_WORKER_SUCCESS)
        verdict_destroy(verdict);
    return status;
}

/* Audio thread. */
static LV2_Worker_Status work_response(LV2_Handle handle, uint32_t size, const void *data)
{
    Brume *self = handle;
    Verdict *verdict;
    if (size != sizeof verdict)
        return LV2_WORKER_ERR_UNKNOWN;
    memcpy(&verdict, data, sizeof verdict);
    spend(self, atomic_exchange(&self->slots[verdict->kind].incoming, verdict));
    return LV2_WORKER_SUCCESS;
}

const LV2_Worker_Interface *worker_interface(void)
{
    static const LV2_Worker_Interface interface = {work, work_response, NULL};
    return &interface;
}
