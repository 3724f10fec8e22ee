import { pageRate } from './fetch.ts'
import { get, post, run } from './load.ts'
import type { Contest, Figure } from './rounds.ts'
import type { Stage } from './stage.ts'

/** What consumer groups cost. */

const SECONDS = 3
const PAGE = 1000
const TOPIC = 'batch'
const ACK = /"ack":"([^"]*)","positions":\[(?:\{[^}]*"offset":(\d+)\})?\]/

let groups = 0

async function call(stage: Stage, method: string, path: string, body?: object): Promise<unknown> {
  const response = await fetch(`http://127.0.0.1:${String(stage.port)}${path}`, {
    method,
    ...(body && {
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    }),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(text)
  return text === '' ? undefined : (JSON.parse(text) as unknown)
}

async function join(stage: Stage, group: string, member_id: string, topic = TOPIC): Promise<void> {
  await call(stage, 'POST', `/v1/groups/${group}/members`, { topics: [topic], member_id })
}

/** One member that polls pages of 1,000 and commits each with the next poll, against one reader that fetches them. */
export function groupPolls(stage: Stage): Contest {
  return {
    name: 'group_poll_vs_fetch',
    reach: 0.7,
    unit: 'records/s',
    against: 'plain fetch of the same pages',
    ours: () => pollRate(stage),
    theirs: () => pageRate(stage, 1),
  }
}

async function pollRate(stage: Stage): Promise<number> {
  const names = Array.from({ length: 12 }, () => `bench-${String(++groups)}`)
  for (const name of names) await join(stage, name, 'one')
  let ack = ''
  let offset = 0
  let records = 0
  const load = await run({
    port: stage.port,
    connections: 1,
    seconds: SECONDS,
    request: () => {
      const path = `/v1/groups/${names[0] ?? ''}/members/one/records?max_records=${String(PAGE)}`
      return get(ack === '' ? path : `${path}&commit=previous&received=${ack}`)
    },
    answered: (_, body) => {
      const [, given = '', next] = ACK.exec(body.toString('latin1', body.length - 300)) ?? []
      if (next === undefined) {
        names.shift()
        ack = ''
        offset = 0
        return
      }
      ack = given
      records += Number(next) - offset
      offset = Number(next)
    },
  })
  return (records / load.requests) * load.requests_per_s
}

const MEMBERS = 8
const PARTITIONS = 16
const REBALANCES = 40

/** How long it takes from a join or leave until every partition has a member again, and all have the news. */
export async function rebalances(stage: Stage): Promise<Figure[]> {
  await call(stage, 'POST', '/v1/topics', { name: 'sixteen', partitions: PARTITIONS })
  const members = Array.from({ length: MEMBERS }, (_, k) => `m${String(k)}`)
  for (const member of members) await join(stage, 'rebalanced', member, 'sixteen')
  const times: number[] = []
  for (let n = 0; n < REBALANCES; n++) {
    const member = members[n % MEMBERS] ?? ''
    const others = members.filter((one) => one !== member)
    const waiting = others.map((one) => hearOfRebalance(stage, one))
    await new Promise((resolve) => setTimeout(resolve, 30))
    const began = performance.now()
    await call(stage, 'DELETE', `/v1/groups/rebalanced/members/${member}`)
    await Promise.all(waiting)
    times.push(performance.now() - began)
    await join(stage, 'rebalanced', member, 'sixteen')
  }
  times.sort((a, b) => a - b)
  const at = (share: number) => times[Math.floor(times.length * share)] ?? 0
  const unit = `ms until ${String(MEMBERS - 1)} members know of one's leaving`
  return [
    { name: 'rebalance_p50_ms', value: at(0.5), unit },
    { name: 'rebalance_p99_ms', value: at(0.99), unit },
  ]
}

/** A long poll that ends because there is another assignment. */
async function hearOfRebalance(stage: Stage, member: string): Promise<void> {
  const { generation_id } = (await call(
    stage,
    'POST',
    `/v1/groups/rebalanced/members/${member}/heartbeat`,
  )) as { generation_id: number }
  const path = `/v1/groups/rebalanced/members/${member}/records`
  await call(stage, 'GET', `${path}?max_wait_ms=10000&generation_id=${String(generation_id)}`)
}

/** Heartbeats of many members, over 64 connections. */
export async function heartbeats(stage: Stage): Promise<Figure[]> {
  await call(stage, 'POST', '/v1/topics', { name: 'beaten', partitions: 1 })
  const members = Array.from({ length: 64 }, (_, k) => `m${String(k)}`)
  for (const member of members) await join(stage, 'beating', member, 'beaten')
  const requests = members.map((member) =>
    post(`/v1/groups/beating/members/${member}/heartbeat`, 'application/json', ''),
  )
  const load = await run({
    port: stage.port,
    connections: members.length,
    seconds: SECONDS,
    request: (connection) => requests[connection] as Buffer,
  })
  return [
    { name: 'heartbeats_per_s', value: load.requests_per_s, unit: 'heartbeats/s of 64 members' },
  ]
}
