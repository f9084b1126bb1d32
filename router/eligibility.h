#ifndef ROUTER_ELIGIBILITY_H
#define ROUTER_ELIGIBILITY_H

#include <stdbool.h>
#include <stdint.h>

#include "router/classes.h"
#include "router/profiles.h"

struct arena;

/* Who may: one bit per class and profile, kept both ways round so that a ticket finds its profiles
 * and an agent its classes in one row. Filled when a class or a profile appears and when the plan
 * changes. The rule itself is that of profile_may_serve() (proto/requirements.h), and persons only
 * where one was requested. Gates that hang on the single agent belong into
 * eligibility_agent_may(), which matching asks for every candidate.
 */
struct eligibility {
    struct classes *classes;
    struct profiles *profiles;
    uint64_t *of_class;   /* [class][profile word] */
    uint64_t *of_profile; /* [profile][class word] */
    uint32_t profile_words;
    uint32_t class_words;
    uint8_t *levels; /* by term: level + 1 of the profile at work; 0: it does not have it */
};

struct eligibility_options {
    struct classes *classes;
    struct profiles *profiles;
    uint32_t classes_max;
    uint32_t profiles_max;
    uint32_t names_max;
};

void eligibility_init(struct eligibility *eligibility,
                      struct arena *arena,
                      const struct eligibility_options *options);

/* After a class (profile) appeared, or what its queue is called changed; before it goes. */
void eligibility_fill_class(struct eligibility *eligibility, uint32_t class);
void eligibility_clear_class(struct eligibility *eligibility, uint32_t class);
void eligibility_fill_profile(struct eligibility *eligibility, uint32_t profile);
void eligibility_clear_profile(struct eligibility *eligibility, uint32_t profile);

/* The profiles that may serve the class; the classes that the profile may serve. */
const uint64_t *eligibility_profiles(const struct eligibility *eligibility, uint32_t class);
const uint64_t *eligibility_classes(const struct eligibility *eligibility, uint32_t profile);

bool eligibility_may(const struct eligibility *eligibility, uint32_t class, uint32_t profile);

#endif
