#include "plugin/settings.h"

#include <math.h>

float settings_control(Brume *self, PortIndex port)
{
    bool bad = false;
    const float value = port_value(port, self->ports[port], &bad);
    if (bad)
        status_complain(&self->status, COMPLAINT_CONTROL);
    return value;
}

/* A class that the model has; one beyond its last is the last. A pin holds until the knob moves. */
static size_t read_class(Brume *self, PortIndex port, ClassPin *pin, size_t classes)
{
    const size_t number = (size_t)lroundf(settings_control(self, port));
    if (pin->there && pin->number == number && pin->class_ < classes) {
        pin->seen = true;
        return pin->class_;
    }
    pin->there = pin->there && !pin->seen;
    return number < classes ? number : classes - 1;
}

void settings_tell_classes(Brume *self)
{
    const SharedModel *model = brume_model(self);
    if (!model)
        return;
    const PortIndex ports[CLASS_KNOBS] = {PORT_TEXTURE, PORT_MORPH_TO};
    const TextureConfig *config = texture_model_config(shared_model_texture(model));
    const size_t classes = config->denoiser.classes;
    size_t stands_for[CLASS_KNOBS];
    uint32_t told = 0;
    for (size_t k = 0; k < CLASS_KNOBS; k++) {
        const size_t number = (size_t)lroundf(settings_control(self, ports[k]));
        const size_t class_ = read_class(self, ports[k], &self->pins[k], classes);
        told |= (uint32_t)(number << 8 | class_) << (16 * k);
        stands_for[k] = class_;
    }
    const bool morphs = settings_control(self, PORT_MORPH) > 0.0F && stands_for[1] != stands_for[0];
    status_class(&self->status, config->classes[stands_for[0]],
                 morphs ? config->classes[stands_for[1]] : NULL);
    atomic_store_explicit(&self->classes, told, memory_order_relaxed);
    atomic_store_explicit(&self->classes_of, model, memory_order_release);
}

TextureSettings settings_read(Brume *self, const SharedModel *model)
{
    const size_t classes =
        model ? texture_model_config(shared_model_texture(model))->denoiser.classes : 1;
    TextureSettings settings = texture_settings_default();
    const float morph = settings_control(self, PORT_MORPH);
    const size_t from = read_class(self, PORT_TEXTURE, &self->pins[0], classes);
    const size_t to = read_class(self, PORT_MORPH_TO, &self->pins[1], classes);
    settings.mix[0] = 0.0f;
    settings.mix[from] = 1.0f - morph;
    settings.mix[to] += morph;
    settings.seed = (uint64_t)lroundf(settings_control(self, PORT_SEED)) + self->voice.note;
    settings.steps = (int)lroundf(settings_control(self, PORT_STEPS));
    settings.width = settings_control(self, PORT_WIDTH);
    return settings;
}
