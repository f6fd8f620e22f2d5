#include "plugin/commands.h"

bool commands_post(Commands *commands, const Command *command)
{
    const unsigned tail = atomic_load_explicit(&commands->tail, memory_order_relaxed);
    if (tail - atomic_load_explicit(&commands->head, memory_order_acquire) == COMMANDS_ROOM)
        return false;
    commands->slots[tail % COMMANDS_ROOM] = *command;
    atomic_store_explicit(&commands->tail, tail + 1, memory_order_release);
    return true;
}

bool commands_take(Commands *commands, Command *command)
{
    const unsigned head = atomic_load_explicit(&commands->head, memory_order_relaxed);
    if (head == atomic_load_explicit(&commands->tail, memory_order_acquire))
        return false;
    *command = commands->slots[head % COMMANDS_ROOM];
    atomic_store_explicit(&commands->head, head + 1, memory_order_release);
    return true;
}

void commands_merge(Command *before, const Command *later)
{
    const bool weak = later->kind == COMMAND_SET || later->kind == COMMAND_SWAP;
    const bool hard = before->hard || later->hard;
    if (weak && before->kind > later->kind) {
        before->settings = later->settings;
        before->strength = later->strength;
        before->from = later->from;
        before->serial = later->serial;
        before->model = later->model;
    } else {
        *before = *later;
    }
    before->hard = hard;
}
