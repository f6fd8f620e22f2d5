#include "plugin/atoms.h"

/* Bytes from one atom's beginning to the next one's, of which `head` lie before its body; 0 if
 * there are not so many `left`. What is left after the last one's body may lack the padding. */
static size_t stride(size_t head, const LV2_Atom *atom, size_t left)
{
    if (left < head || atom->size > left - head)
        return 0;
    const size_t padded = (head + atom->size + 7) & ~(size_t)7;
    return padded < left ? padded : left;
}

Events events_of(const LV2_Atom_Sequence *sequence)
{
    if (!sequence || sequence->atom.size < sizeof sequence->body)
        return (Events){NULL, 0};
    return (Events){(const char *)(sequence + 1), sequence->atom.size - sizeof sequence->body};
}

static size_t event_bytes(const Events *events)
{
    const LV2_Atom_Event *event = (const LV2_Atom_Event *)events->at;
    return events->left < sizeof *event ? 0 : stride(sizeof *event, &event->body, events->left);
}

static const LV2_Atom_Event *next(const Events *events)
{
    return event_bytes(events) ? (const LV2_Atom_Event *)events->at : NULL;
}

const LV2_Atom_Event *events_take(Events *first, Events *second)
{
    const LV2_Atom_Event *event = next(first), *other = next(second);
    Events *from = first;
    if (!event || (other && other->time.frames < event->time.frames)) {
        event = other;
        from = second;
    }
    if (!event)
        return NULL;
    const size_t bytes = event_bytes(from);
    from->at += bytes;
    from->left -= bytes;
    return event;
}

const LV2_Atom *atoms_value(const LV2_Atom_Object *object, LV2_URID key)
{
    if (object->atom.size < sizeof object->body)
        return NULL;
    const char *at = (const char *)(object + 1);
    size_t left = object->atom.size - sizeof object->body;
    while (left >= sizeof(LV2_Atom_Property_Body)) {
        const LV2_Atom_Property_Body *property = (const LV2_Atom_Property_Body *)at;
        const size_t bytes = stride(sizeof *property, &property->value, left);
        if (!bytes)
            return NULL;
        if (property->key == key)
            return &property->value;
        at += bytes;
        left -= bytes;
    }
    return NULL;
}

LV2_URID atoms_urid(const LV2_Atom *atom, LV2_URID type)
{
    return atom && atom->type == type && atom->size >= sizeof(LV2_URID)
               ? ((const LV2_Atom_URID *)atom)->body
               : 0;
}
