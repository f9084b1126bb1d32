#include "router/matching.h"

#include "lib/arena.h"
#include "lib/check.h"
#include "proto/plan.h"

#define CLASS_KEY_BYTES 512U
#define PROFILE_KEY_BYTES 4096U
#define PINNED_MAX (2U * PLAN_QUEUES_MAX + PLAN_SKILLS_MAX) /* queues, their languages, skills */

static uint32_t or_default(uint32_t value, uint32_t otherwise)
{
    return value != 0 ? value : otherwise;
}

static struct matching_options with_defaults(const struct matching_options *options)
{
    return (struct matching_options){.tickets_max = or_default(options->tickets_max, 1000000),
                                     .classes_max = or_default(options->classes_max, 65536),
                                     .profiles_max = or_default(options->profiles_max, 16384),
                                     .names_max = or_default(options->names_max, 16384),
                                     .queues_max = or_default(options->queues_max, 4096),
                                     .agents_max = or_default(options->agents_max, 65536),
                                     .sites_max = or_default(options->sites_max, 4096),
                                     .refusals_max = or_default(options->refusals_max, 65536),
                                     .seed = options->seed};
}

static void init_eligibility(struct matching *matching,
                             struct arena *arena,
                             const struct matching_options *options)
{
    terms_init(&matching->terms,
               arena,
               &(struct terms_options){.names_max = options->names_max,
                                       .profiles_max = options->profiles_max,
                                       .seed = options->seed});
    classes_init(&matching->classes,
                 arena,
                 &(struct classes_options){.classes_max = options->classes_max,
                                           .key_bytes_max =
                                               (uint64_t) options->classes_max * CLASS_KEY_BYTES,
                                           .terms = &matching->terms,
                                           .seed = options->seed});
    profiles_init(&matching->profiles,
                  arena,
                  &(struct profiles_options){.profiles_max = options->profiles_max,
                                             .key_bytes_max = (uint64_t) options->profiles_max *
                                                              PROFILE_KEY_BYTES,
                                             .terms = &matching->terms,
                                             .seed = options->seed});
    eligibility_init(&matching->eligibility,
                     arena,
                     &(struct eligibility_options){.classes = &matching->classes,
                                                   .profiles = &matching->profiles,
                                                   .classes_max = options->classes_max,
                                                   .profiles_max = options->profiles_max,
                                                   .names_max = options->names_max});
}

void matching_init(struct matching *matching,
                   struct arena *arena,
                   const struct matching_options *options)
{
    struct matching_options chosen = with_defaults(options);
    *matching = (struct matching){0};
    matching->pinned[0] = ARENA_ARRAY(arena, uint32_t, PINNED_MAX);
    matching->pinned[1] = ARENA_ARRAY(arena, uint32_t, PINNED_MAX);
    tickets_init(&matching->tickets, arena, chosen.tickets_max, chosen.seed);
    init_eligibility(matching, arena, &chosen);
    backlog_init(&matching->backlog,
                 arena,
                 &(struct backlog_options){.tickets = &matching->tickets,
                                           .tickets_max = chosen.tickets_max,
                                           .classes_max = chosen.classes_max,
                                           .queues_max = chosen.queues_max,
                                           .seed = chosen.seed});
    roster_init(&matching->roster,
                arena,
                &(struct roster_options){.agents_max = chosen.agents_max,
                                         .sites_max = chosen.sites_max,
                                         .profiles_max = chosen.profiles_max,
                                         .seed = chosen.seed});
    refusals_init(&matching->refusals,
                  arena,
                  &(struct refusals_options){.refusals_max = chosen.refusals_max,
                                             .tickets_max = chosen.tickets_max,
                                             .agents_max = chosen.agents_max});
}

static struct bytes queue_name(const struct matching *matching, uint32_t queue)
{
    const struct plan_queue *found =
        matching->plan == NULL ? NULL : plan_find_queue_id(matching->plan, queue);
    return found == NULL ? (struct bytes){0} : found->name;
}

static void pin(struct matching *matching, uint32_t list, enum term_kind kind, struct bytes name)
{
    uint32_t *count = &matching->pinned_counts[list];
    uint32_t term = TERMS_NONE;
    if (name.size > 0 && terms_put(&matching->terms, kind, name, &term) == VT_OK) {
        matching->pinned[list][(*count)++] = term;
    }
}

static void pin_names(struct matching *matching, const struct plan *plan)
{
    uint32_t old = matching->pinned_list;
    uint32_t list = 1U - old;
    CHECK(plan->queue_count <= PLAN_QUEUES_MAX);
    CHECK(plan->skill_count <= PLAN_SKILLS_MAX);
    for (uint32_t i = 0; i < plan->queue_count; i++) {
        pin(matching, list, TERM_QUEUE, plan->queues[i].name);
        pin(matching, list, TERM_LANGUAGE, plan->queues[i].language);
    }
    for (uint32_t i = 0; i < plan->skill_count; i++) {
        pin(matching, list, TERM_SKILL, plan->skills[i]);
    }
    for (uint32_t i = 0; i < matching->pinned_counts[old]; i++) {
        terms_drop(&matching->terms, matching->pinned[old][i]);
    }
    matching->pinned_counts[old] = 0;
    matching->pinned_list = list;
}

void matching_plan(struct matching *matching, const struct plan *plan)
{
    matching->plan = plan;
    pin_names(matching, plan);
    uint32_t end = classes_high_water(&matching->classes);
    for (uint32_t class = 0; class < end; class ++) {
        if (!classes_has(&matching->classes, class)) {
            continue;
        }
        const struct class_form *form = classes_form(&matching->classes, class);
        uint32_t old_term = form->queue_term;
        vt_err err =
            classes_name_queue(&matching->classes, class, queue_name(matching, form->queue));
        if (err != VT_OK || form->queue_term != old_term) {
            eligibility_fill_class(&matching->eligibility, class);
        }
    }
}

/* What a class must have before a ticket can wait in it; undone by release_class(). */
static vt_err open_class(struct matching *matching, uint32_t class, uint32_t queue)
{
    vt_err err = classes_name_queue(&matching->classes, class, queue_name(matching, queue));
    if (err != VT_OK) {
        return err;
    }
    err = backlog_open_class(&matching->backlog, class, queue);
    if (err != VT_OK) {
        return err;
    }
    eligibility_fill_class(&matching->eligibility, class);
    return VT_OK;
}

static vt_err add_class(struct matching *matching, const struct class_key *key, uint32_t *class)
{
    struct classes_put put;
    vt_err err = classes_add(&matching->classes, key, &put);
    if (err != VT_OK) {
        return err == VT_FULL ? VT_UNAVAILABLE : err;
    }
    if (put.is_new && open_class(matching, put.class, key->queue) != VT_OK) {
        classes_undo(&matching->classes, put.class);
        return VT_UNAVAILABLE;
    }
    *class = put.class;
    return VT_OK;
}

static void release_class(struct matching *matching, uint32_t class)
{
    if (classes_is_last(&matching->classes, class)) {
        eligibility_clear_class(&matching->eligibility, class);
        backlog_close_class(&matching->backlog, class);
    }
    classes_release(&matching->classes, class);
}

static struct class_key key_of_row(const struct ticket_row *row)
{
    return (struct class_key){.queue = row->queue,
                              .person = row->person_requested ? CLASS_PERSON : CLASS_ANYBODY,
                              .requirements = row->requirements};
}

/* All of the row but its id and class. */
static void copy_row(struct ticket *ticket, const struct ticket_row *row)
{
    CHECK(row->priority <= PRIORITY_MAX);
    ticket->created_us = row->created_us;
    ticket->queued_us = row->state == TICKET_SCHEDULED ? row->due_us : row->queued_us;
    ticket->agent = row->agent;
    ticket->part = row->part;
    ticket->attempt = row->attempt;
    ticket->msgs = row->msgs;
    ticket->rev = row->rev;
    ticket->priority = (uint8_t) row->priority;
    ticket->fails = (uint8_t) (row->fails < UINT8_MAX ? row->fails : UINT8_MAX);
    ticket->flags = (uint8_t) (ticket->flags & ~TICKETS_PERSON_REQUESTED);
    if (row->person_requested) {
        ticket->flags |= TICKETS_PERSON_REQUESTED;
    }
}

vt_err
matching_ticket_add(struct matching *matching, const struct ticket_row *row, uint32_t *ticket)
{
    uint32_t added = tickets_find(&matching->tickets, row->id);
    if (added != TICKETS_NONE) {
        *ticket = added;
        return VT_CONFLICT;
    }
    if (tickets_is_full(&matching->tickets)) {
        return VT_FULL;
    }
    struct class_key key = key_of_row(row);
    uint32_t class = 0;
    vt_err err = add_class(matching, &key, &class);
    if (err != VT_OK) {
        return err;
    }

    err = tickets_add(&matching->tickets, row->id, &added);
    CHECK(err == VT_OK);
    struct ticket *kept = tickets_get(&matching->tickets, added);
    copy_row(kept, row);
    kept->class = class;
    tickets_set_stage(&matching->tickets, added, STAGE_HELD_BACK);
    *ticket = added;
    return VT_OK;
}

vt_err
matching_ticket_update(struct matching *matching, uint32_t ticket, const struct ticket_row *row)
{
    struct ticket *kept = tickets_get(&matching->tickets, ticket);
    CHECK(kept->stage != STAGE_WAITING);
    CHECK(id_equal(kept->id, row->id));
    struct class_key key = key_of_row(row);
    uint32_t class = 0;
    vt_err err = add_class(matching, &key, &class);
    if (err != VT_OK) {
        return err;
    }
    /* Only after the new class was counted: an unchanged one does not come and go. */
    release_class(matching, kept->class);
    kept->class = class;
    copy_row(kept, row);
    return VT_OK;
}

void matching_ticket_remove(struct matching *matching, uint32_t ticket)
{
    const struct ticket *row = tickets_get(&matching->tickets, ticket);
    if (row->stage == STAGE_WAITING) {
        matching_leave(matching, ticket, STAGE_HELD_BACK);
    }
    refusals_clear_ticket(&matching->refusals, ticket);
    release_class(matching, row->class);
    tickets_remove(&matching->tickets, ticket);
}

void matching_wait(struct matching *matching, uint32_t ticket)
{
    CHECK(tickets_get(&matching->tickets, ticket)->stage != STAGE_WAITING);
    tickets_set_stage(&matching->tickets, ticket, STAGE_WAITING);
    backlog_add(&matching->backlog, ticket);
}

void matching_leave(struct matching *matching, uint32_t ticket, enum stage stage)
{
    CHECK(tickets_get(&matching->tickets, ticket)->stage == STAGE_WAITING);
    CHECK(stage != STAGE_WAITING);
    backlog_remove(&matching->backlog, ticket);
    tickets_set_stage(&matching->tickets, ticket, stage);
}

struct class_key matching_class_of(const struct matching *matching, uint32_t ticket)
{
    return classes_key(&matching->classes, tickets_get(&matching->tickets, ticket)->class);
}

static void release_profile(struct matching *matching, uint32_t profile)
{
    if (profiles_is_last(&matching->profiles, profile)) {
        eligibility_clear_profile(&matching->eligibility, profile);
        classes_note_room(&matching->classes);
    }
    profiles_release(&matching->profiles, profile);
}

vt_err matching_agent_put(struct matching *matching,
                          uint32_t site,
                          const struct agent *agent,
                          int64_t now_ms,
                          uint32_t *row)
{
    struct profile_key key = {.person = agent->is_person ? PROFILE_PERSON : PROFILE_PROGRAM,
                              .blob = agent->profile};
    struct profiles_put profile;
    vt_err err = profiles_add(&matching->profiles, &key, &profile);
    if (err != VT_OK) {
        return err;
    }
    if (profile.is_new) {
        eligibility_fill_profile(&matching->eligibility, profile.profile);
    }
    struct roster_put put;
    err = roster_put(&matching->roster,
                     &(struct roster_entry){.id = agent->id,
                                            .site = site,
                                            .profile = profile.profile,
                                            .index = agent->index,
                                            .capacity = agent->capacity,
                                            .free = agent->free,
                                            .idle_ms = agent->idle_ms,
                                            .is_person = agent->is_person,
                                            .name = agent->name},
                     now_ms,
                     &put);
    if (err != VT_OK) {
        release_profile(matching, profile.profile);
        return err;
    }
    if (put.old_profile != ROSTER_NONE) {
        release_profile(matching, put.old_profile);
    }
    *row = put.agent;
    return VT_OK;
}

static void remove_agent(struct matching *matching, uint32_t agent)
{
    uint32_t profile = roster_get(&matching->roster, agent)->profile;
    refusals_clear_agent(&matching->refusals, agent);
    roster_remove(&matching->roster, agent);
    release_profile(matching, profile);
}

void matching_agent_remove(struct matching *matching, uint32_t agent)
{
    if (roster_get(&matching->roster, agent)->used > 0) {
        roster_leave(&matching->roster, agent);
    } else {
        remove_agent(matching, agent);
    }
}

bool matching_agent_give(struct matching *matching, uint32_t agent, int64_t now_ms)
{
    roster_give(&matching->roster, agent, now_ms);
    const struct roster_agent *row = roster_get(&matching->roster, agent);
    bool is_gone = row->is_leaving && row->used == 0;
    if (is_gone) {
        remove_agent(matching, agent);
    }
    return is_gone;
}

bool matching_refuse(struct matching *matching,
                     uint32_t ticket,
                     uint32_t agent,
                     int64_t until_ms,
                     struct refusal *dropped)
{
    return refusals_add(&matching->refusals,
                        &(struct refusal){.ticket = ticket, .agent = agent, .until_ms = until_ms},
                        dropped);
}
