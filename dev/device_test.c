// SPDX-License-Identifier: Apache-2.0
#include "dev/device.h"
#include "base/test.h"

struct lamp {
    struct device d;
    bool lit;
    u64 power, room;
    char *colour;
};

static const struct device_prop lamp_props[] = {
    {"lit", PROP_BOOL, offsetof(struct lamp, lit), "whether it shines", "on"},
    {"power", PROP_U64, offsetof(struct lamp, power), "in watts", "60"},
    {"room", PROP_SIZE, offsetof(struct lamp, room), "size of the room", NULL},
    {"colour", PROP_STRING, offsetof(struct lamp, colour), "its colour", "white"},
    {NULL},
};

static bool lamp_realize(struct device *d, struct err *e)
{
    struct lamp *l = (struct lamp *)d;
    return l->power < 1000 || err_set(e, "too bright");
}

static const struct device_type lamp_type = {
    .name = "lamp", .size = sizeof(struct lamp), .props = lamp_props, .realize = lamp_realize};

TEST(properties_have_initial_values_and_take_text)
{
    struct device_env env = {0};
    struct err e = {0};
    struct lamp *l = (struct lamp *)device_new(&lamp_type, &env);
    CHECK(l->lit);
    CHECK_EQ(l->power, 60);
    CHECK_STR(l->colour, "white");
    CHECK(device_set(&l->d, "lit", "off", &e) && !l->lit);
    CHECK(device_set(&l->d, "room", "3M", &e));
    CHECK_EQ(l->room, 3 << 20);
    CHECK(device_set(&l->d, "colour", "red", &e));
    CHECK_STR(l->colour, "red");
    device_free(&l->d);
}

TEST(wrong_properties_say_what_is_wrong)
{
    struct device_env env = {0};
    struct err e = {0};
    struct device *d = device_new(&lamp_type, &env);
    CHECK(!device_set(d, "size", "1", &e));
    CHECK_STR(e.text, "lamp has no property 'size'; it has: lit, power, room, colour");
    CHECK(!device_set(d, "power", "12x", &e));
    CHECK_STR(e.text, "property 'power': '12x' is not a number");
    CHECK(!device_set(d, "power", "-1", &e));
    CHECK(!device_set(d, "room", "99999999999G", &e));
    CHECK_STR(e.text, "property 'room': '99999999999G' is not a size");
    CHECK(!device_set(d, "lit", "maybe", &e));
    CHECK(device_set(d, "power", "0x1000", &e));
    CHECK(!device_realize(d, &e));
    CHECK_STR(e.text, "lamp: too bright");
    device_free(d);
}

// Options are checked on devices that are never realized, in no machine.
TEST(pluggable_types_are_freed_without_having_been_realized)
{
    struct device_env env = {0};
    const struct device_type *t;
    unsigned n = 0;
    for (size_t i = 0; (t = device_type_at(i)); i++) {
        if (!t->is_pluggable)
            continue;
        device_free(device_new(t, &env));
        n++;
    }
    CHECK(n > 0);
}
