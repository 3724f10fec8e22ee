/**
 * How a partition of a group goes from one member to another. The database makes these transitions, each in the one
 * row that holds owner, target and offsets (migrations/0006-groups.sql, 0007-group-offsets.sql); this is the same as
 * a table, total and pure, for those who read and for the test that compares the two.
 *
 *   free ──planned──► owned ──delivered──► working ──planned for another──► revoked
 *                      ▲ │                    │                                │
 *                      │ └─ planned for       └─ committed all ──► owned       ├─ planned for the same ──► working
 *                      │    another: theirs                                    │
 *                      └───────────── committed all, gone, overdue: theirs ────┘
 *
 * `owned`: its member holds nothing uncommitted; `working`: it does; `revoked`: it does, and somebody else shall have
 * the partition, so it is given no more of it. Theirs: the partition is owned, by the one who shall have it.
 */
export type HandOverState = 'free' | 'owned' | 'working' | 'revoked'

/** Whose a partition is after an event; `target`: of the one who shall have it, so of nobody where nobody shall. */
export type Holder = 'nobody' | 'same' | 'target'

export type HandOverEvent =
  /** A plan that leaves or gives it to the member that has it; to the first one, where nobody has. */
  | 'planned_for_same'
  /** A plan that gives it to another member. */
  | 'planned_for_other'
  /** A plan in which nobody wants it. */
  | 'planned_for_none'
  /** Records were handed out. */
  | 'delivered'
  /** Some of what was handed out is committed. */
  | 'committed_some'
  /** All of what was handed out is committed. */
  | 'committed_all'
  /** Its member has left, or its session is over; the plan that notices it gives the partition to another. */
  | 'gone'
  /** Its member has had its time to commit, and the plan that notices it changes nothing else. */
  | 'overdue'

/** What the database says of a partition. */
export interface HandOverRow {
  owner: string | null
  target: string | null
  committed: number | null
  delivered: number | null
}

export function handOverState({ owner, target, committed, delivered }: HandOverRow): HandOverState {
  if (owner === null) return 'free'
  if ((delivered ?? 0) <= (committed ?? 0)) return 'owned'
  return target === owner ? 'working' : 'revoked'
}

export interface Transition {
  state: HandOverState
  holder: Holder
}

const to = (state: HandOverState, holder: Holder): Transition => ({ state, holder })
const stay = (state: HandOverState): Transition => to(state, state === 'free' ? 'nobody' : 'same')

/** What each event makes of each state; a state that it does not touch stays as it is. */
export const HAND_OVER: Readonly<
  Record<HandOverState, Readonly<Record<HandOverEvent, Transition>>>
> = {
  free: {
    planned_for_same: to('owned', 'same'),
    planned_for_other: to('owned', 'target'),
    planned_for_none: stay('free'),
    delivered: stay('free'),
    committed_some: stay('free'),
    committed_all: stay('free'),
    gone: to('owned', 'target'),
    overdue: stay('free'),
  },
  owned: {
    planned_for_same: stay('owned'),
    planned_for_other: to('owned', 'target'),
    planned_for_none: to('free', 'nobody'),
    delivered: to('working', 'same'),
    committed_some: stay('owned'),
    committed_all: stay('owned'),
    gone: to('owned', 'target'),
    overdue: stay('owned'),
  },
  working: {
    planned_for_same: stay('working'),
    planned_for_other: to('revoked', 'same'),
    planned_for_none: to('revoked', 'same'),
    delivered: stay('working'),
    committed_some: stay('working'),
    committed_all: to('owned', 'same'),
    gone: to('owned', 'target'),
    overdue: stay('working'),
  },
  revoked: {
    planned_for_same: to('working', 'same'),
    planned_for_other: stay('revoked'),
    planned_for_none: stay('revoked'),
    delivered: stay('revoked'),
    committed_some: stay('revoked'),
    committed_all: to('owned', 'target'),
    gone: to('owned', 'target'),
    overdue: to('owned', 'target'),
  },
}
