import type { FastifyRequest } from 'fastify'
import type { WebSocket } from '@fastify/websocket'
import type { Broker } from '../../broker/broker.ts'
import { assignmentOf, keptBy } from '../../broker/groups/assignment.ts'
import { commitOffsets } from '../../broker/groups/commit.ts'
import * as membership from '../../broker/groups/membership.ts'
import { poll, type Polled } from '../../broker/groups/poll.ts'
import { seek } from '../../broker/groups/seek.ts'
import { GroupCommand, type GroupMessage } from '../../contract/group-tail.ts'
import type { JoinGroup, Membership } from '../../contract/groups.ts'
import { LIMITS } from '../../contract/limits.ts'
import { invalidField } from '../../contract/problem-error.ts'
import { positionsOf, recordsText, revokedOf } from '../polled.ts'
import { asProblem, problemText } from '../problem-json.ts'
import { Allowance } from './allowance.ts'
import { CLOSE, TailSocket } from './tail-socket.ts'

const text = (message: GroupMessage) => JSON.stringify(message)

/** How long one look for records may wait; the member's session is renewed by each. */
const WAIT_MS = 20_000

export interface GroupTailInput {
  group: string
  joining: JoinGroup
  credit: number | undefined
}

/** A member of a group whose connection it is: records are pushed, commits and the like are messages. */
export class GroupTail {
  readonly #broker: Broker
  readonly #request: FastifyRequest
  readonly #socket: TailSocket
  #member: Membership | undefined
  #allowance = new Allowance(0)
  #nudge: (() => void) | undefined
  /** Commands are obeyed in the order in which they came. */
  #obeyed: Promise<void> = Promise.resolve()

  constructor(broker: Broker, socket: WebSocket, request: FastifyRequest) {
    this.#broker = broker
    this.#request = request
    this.#socket = new TailSocket(socket, request, {
      take: (message) => this.#take(message),
      heartbeat: () => this.#member && text({ type: 'heartbeat' }),
      problem: (problem) => problemText(problem, request.id, 'problem'),
    })
    this.#socket.signal.addEventListener('abort', () => this.#nudge?.())
  }

  fail(error: unknown): void {
    this.#socket.fail(error)
  }

  /** Joins, and pushes records until the connection or the server is over. */
  async run({ group, joining, credit }: GroupTailInput): Promise<void> {
    this.#allowance = new Allowance(credit)
    const member = await membership.joinGroup(this.#broker, {
      ...joining,
      group,
      client: this.#request.ip,
    })
    this.#member = member
    const { closing } = this.#broker.groups.watch
    // However little the reader takes, it does not hold up the stop of the server.
    const drained = () => {
      this.#nudge?.()
      this.#socket.resetSoon()
    }
    closing.addEventListener('abort', drained)
    try {
      await this.#socket.send(text(joinedMessage(member)))
      while (!this.#socket.signal.aborted && !closing.aborted) await this.#push(member)
      if (!this.#socket.signal.aborted) {
        await this.#socket.send(text({ type: 'draining' }))
        this.#socket.close(CLOSE.restarting, 'draining')
      }
      if (joining.member_id === undefined) await this.#leave(member)
    } catch (error) {
      if (joining.member_id === undefined) await this.#leave(member)
      throw error
    } finally {
      closing.removeEventListener('abort', drained)
    }
  }

  /** The connection was the member. One with a name of its own may come again, and has its session's time for it. */
  async #leave({ group, member_id, generation_id }: Membership): Promise<void> {
    await membership
      .leaveGroup(this.#broker, { group, member_id, generation_id })
      .catch(() => undefined)
  }

  async #push(member: Membership): Promise<void> {
    const max_records = this.#allowance.records
    if (max_records === 0) {
      await this.#idle(member)
      return
    }
    const polled = await poll(this.#broker, {
      ...member,
      commit: 'none',
      received: undefined,
      max_records,
      max_bytes: LIMITS.tail_page_bytes,
      max_wait_ms: WAIT_MS,
      client: this.#request.ip,
      signal: this.#socket.signal,
    })
    await this.#tell(member, polled)
  }

  async #tell(member: Membership, polled: Polled): Promise<void> {
    await this.#tellAssignment(member, polled)
    const { truncated, pages } = polled
    if (truncated.length > 0) await this.#socket.send(text({ type: 'truncated', truncated }))
    if (pages.length === 0) return
    this.#allowance.spend(pages.reduce((sum, { page }) => sum + page.record_count, 0))
    await this.#socket.send(recordsMessage(polled))
  }

  /** A rebalance, or a partition that has come since. */
  async #tellAssignment(member: Membership, polled: Polled): Promise<void> {
    const message = assignedMessage(polled)
    const isSame = JSON.stringify(message.assignment) === JSON.stringify(member.assignment)
    if (isSame && message.generation_id === member.generation_id) return
    member.generation_id = message.generation_id
    member.assignment = message.assignment
    await this.#socket.send(text(message))
  }

  /** Until there is credit again, or it is time to say that the member lives. */
  async #idle(member: Membership): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, member.session_timeout_ms / 3)
      this.#nudge = () => {
        clearTimeout(timer)
        resolve()
      }
    })
    this.#nudge = undefined
    if (!this.#socket.signal.aborted && !this.#broker.groups.watch.closing.aborted) {
      await membership.heartbeat(this.#broker, { ...member, client: this.#request.ip })
    }
  }

  #take(message: unknown): void {
    const parsed = GroupCommand.safeParse(message)
    if (!parsed.success) {
      const known = 'commit, seek, credit, pause or resume'
      throw invalidField('body', '', `must be a message of the type ${known}`)
    }
    this.#obeyed = this.#obeyed
      .then(() => this.#obey(parsed.data))
      .catch((error: unknown) => {
        this.#socket.say(problemText(asProblem(error), this.#request.id, 'refused'))
      })
  }

  async #obey(command: GroupCommand): Promise<void> {
    const member = this.#member
    switch (command.type) {
      case 'commit':
        if (member) await this.#commit(member, command.offsets)
        return
      case 'seek':
        if (member) await seek(this.#broker, { ...member, ...command })
        return
      case 'credit':
      case 'pause':
      case 'resume':
        this.#allowance.obey(command)
        this.#nudge?.()
    }
  }

  async #commit(
    { group, member_id, generation_id }: Membership,
    offsets: Extract<GroupCommand, { type: 'commit' }>['offsets'],
  ): Promise<void> {
    const done = await commitOffsets(this.#broker, group, { member_id, generation_id, offsets })
    this.#socket.say(text({ type: 'committed', offsets: done }))
  }
}

function joinedMessage({ group, member_id, generation_id, assignment }: Membership): GroupMessage {
  return { type: 'joined', group, member_id, generation_id, assignment }
}

function assignedMessage(polled: Polled): Extract<GroupMessage, { type: 'assigned' }> {
  return {
    type: 'assigned',
    generation_id: polled.state.generation_id,
    assignment: assignmentOf(keptBy(polled.state)),
    ...revokedOf(polled),
  }
}

function recordsMessage(polled: Polled): string {
  const head = `{"type":"records","generation_id":${String(polled.state.generation_id)}`
  const positions = JSON.stringify(positionsOf(polled))
  return `${head},"records":${recordsText(polled)},"positions":${positions}}`
}
