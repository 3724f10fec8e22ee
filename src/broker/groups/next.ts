import { randomUUID } from 'node:crypto'
import type { NextRequest } from '../../contract/groups.ts'
import { invalidField, ProblemError } from '../../contract/problem-error.ts'
import { parseAck, type Ack } from './ack.ts'
import type { GroupsBroker } from './groups-broker.ts'
import { joinAs, leaveGroup } from './membership.ts'
import { poll, type PollInput, type Polled } from './poll.ts'

export interface NextInput extends NextRequest {
  group: string
  client: string
  signal: AbortSignal
}

/**
 * One call of a reader that knows nothing but its last answer: commits that, and brings what comes next. Without an
 * ack the caller becomes a member first; whatever it was given before under its name and did not ack comes again.
 */
export async function next(
  broker: GroupsBroker,
  input: NextInput,
): Promise<Polled & { member_id: string }> {
  const ack = input.ack ? parseAck(input.ack, 'body', '/ack') : undefined
  if (ack && input.member_id !== undefined && input.member_id !== ack.member_id) {
    throw invalidField('body', '/member_id', 'is not the one the ack was given to')
  }
  const received = ack ?? (await join(broker, input))
  const { member_id } = received
  try {
    return { ...(await poll(broker, pollInput(input, received))), member_id }
  } catch (error) {
    if (ack) await refuse(broker, input.group, ack, error)
    throw error
  }
}

async function join(broker: GroupsBroker, input: NextInput): Promise<Ack> {
  const { group, topics, client, auto_offset_reset, lease_ms } = input
  const state = await joinAs(broker, input.member_id ?? randomUUID(), {
    group,
    topics,
    client,
    auto_offset_reset,
    session_timeout_ms: lease_ms,
    rebalance_timeout_ms: lease_ms,
  })
  return {
    member_id: state.member_id,
    group_id: state.group_id,
    generation_id: state.generation_id,
    offsets: new Map(),
  }
}

function pollInput(input: NextInput, received: Ack): PollInput {
  const { group, max_records, max_bytes, max_wait_ms, client, signal } = input
  const { member_id, generation_id } = received
  const bounds = { max_records, max_bytes, max_wait_ms }
  return {
    group,
    member_id,
    generation_id,
    commit: 'previous',
    received,
    client,
    signal,
    ...bounds,
  }
}

/** A late ack: the caller begins anew, so what it was is not waited for. */
async function refuse(
  broker: GroupsBroker,
  group: string,
  { member_id, generation_id }: Ack,
  error: unknown,
): Promise<void> {
  if (!(error instanceof ProblemError)) return
  if (error.code === 'illegal_generation') {
    // Unless somebody else is the member by now.
    await leaveGroup(broker, { group, member_id, generation_id }).catch(() => undefined)
  }
  if (error.code !== 'unknown_member_id') return
  const detail = `The lease of ${member_id} has ended; its records are read again.`
  throw new ProblemError('illegal_generation', detail, {
    // What this call committed before the lease ended is committed.
    written: error.details.written ?? 'no',
    hint: 'Call again without ack.',
  })
}
