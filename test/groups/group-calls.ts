import { setTimeout as sleep } from 'node:timers/promises'
import type { Random } from '../tails/random.ts'

/** Who knows where the nodes are, dead ones too. */
export interface Nodes {
  anyUrl(random: Random): string
}

/** An answer that arrived whole. */
export interface Answered {
  status: number
  body: Body
}

/** A request: without an answer nobody knows what became of it. */
export interface Asked {
  answer: Answered | undefined
  sent: number
  answered: number
}

/** What answers of groups may hold, as far as a member looks at them. */
export interface Body {
  code?: string
  detail?: string
  written?: string
  member_id: string
  generation_id: number
  assignment?: { topic: string; partitions: number[] }[]
  records: { partition: number; offset: number; value: { id: string } }[]
  ack?: string
  is_current?: boolean
}

/** A server answers within 10 s, and a poll waits for 1 s at most. */
const ANSWER_MS = 12_000

export interface Call {
  method: string
  path: string
  body?: object | undefined
}

/** One request to some node that is there. `signal` is how a caller dies, or loses patience. */
export async function request(
  nodes: Nodes,
  random: Random,
  call: Call,
  signal: AbortSignal,
): Promise<Asked> {
  for (;;) {
    const sent = Date.now()
    try {
      const answer = await answerOf(`${nodes.anyUrl(random)}${call.path}`, call, signal)
      return { answer, sent, answered: Date.now() }
    } catch (error) {
      if (!wasRefused(error)) return { answer: undefined, sent, answered: Date.now() }
    }
    await sleep(5)
  }
}

/** Nothing was sent: that node is dead. */
function wasRefused(error: unknown): boolean {
  return (error as { cause?: { code?: string } }).cause?.code === 'ECONNREFUSED'
}

async function answerOf(
  url: string,
  { method, body }: Call,
  signal: AbortSignal,
): Promise<Answered> {
  const response = await fetch(url, {
    method,
    ...(body ? { headers: JSON_BODY, body: JSON.stringify(body) } : {}),
    signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]),
  })
  const text = await response.text()
  return { status: response.status, body: JSON.parse(text || '{}') as Body }
}

const JSON_BODY = { 'content-type': 'application/json' }
