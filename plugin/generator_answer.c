/* The generator's thread, where a melody is answered: the model that does it, and the answer. */
#include "plugin/generator_parts.h"

#include "models/melody_condition.h"

#include <stdlib.h>

void generator_open_melody(Generator *generator)
{
    if (generator->melody_path && !generator->melody)
        generator->melody = shared_model_open(generator->melody_path, SHARED_MELODY, NULL);
}

void generator_put_melody(Generator *generator, SharedModel *model)
{
    if (!model && !generator->melody_chosen)
        return; /* the default one, if open, is not given up only to be opened again */
    shared_model_release(generator->melody);
    generator->melody = model;
    generator->melody_chosen = model != NULL;
}

void generator_settle_melody(Generator *generator, SharedModel *model)
{
    generator_take_commands(generator);
    generator_put_melody(generator, model);
}

bool generator_forgive(Generator *generator)
{
    if (!atomic_load(&generator->cancel) || atomic_load(&generator->quit))
        return false;
    atomic_store(&generator->cancel, atomic_load(&generator->quit));
    return true;
}

int generator_offer_answer(Generator *generator, Recital *recital, uint64_t position,
                           uint64_t serial)
{
    generator_change_source(generator, SOURCE_ANSWER, recital, NULL);
    atomic_store(&generator->said, recital             ? GENERATOR_ANSWERS
                                   : generator->melody ? GENERATOR_UNSURE
                                                       : GENERATOR_DUMB);
    if (!recital)
        return 0;
    lanes_begin(generator->lanes, position);
    if (generator_write_least(generator))
        return -1;
    lanes_offer(generator->lanes, LANES_ANEW, serial);
    return 0;
}

int generator_answer_heard(Generator *generator, const Command *command)
{
    float *prompt;
    size_t n;
    Recital *recital = NULL;
    atomic_store(&generator->said, GENERATOR_COMPOSES);
    hearing_take(generator->hearing);
    if (!hearing_prompt(generator->hearing, command->since, command->end, MELODY_RATE, &prompt, &n,
                        NULL)) {
        do
            recital = generator->melody ? recital_create(shared_model_melody(generator->melody),
                                                         prompt, n, &command->melody, 2,
                                                         generator->rate, &generator->cancel, NULL)
                                        : NULL;
        while (!recital && generator_forgive(generator));
        free(prompt);
    }
    if (!recital && atomic_load(&generator->quit))
        return 0; /* the thread ends: it makes no difference */
    return generator_offer_answer(generator, recital, 0, command->serial);
}
