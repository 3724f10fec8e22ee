import { nameOf, readName, type Line } from './lines.ts'
import type { Answer } from './logplex-connection.ts'
import type { Frame, LogplexNode } from './logplex.ts'
import type { StoredLine } from './stored-lines.ts'

/** Where the lines of one name were stored. */
type Places = ReadonlyMap<string, readonly StoredLine[]>
type Node = Pick<LogplexNode, 'frames'>

export function placesOf(stored: readonly StoredLine[]): Places {
  const places = new Map<string, StoredLine[]>()
  for (const record of stored) {
    const name = readName(record.message)
    if (name === undefined) continue
    const there = places.get(name)
    if (there) there.push(record)
    else places.set(name, [record])
  }
  return places
}

const own = ({ process, number }: Line) => nameOf(process, number)

/**
 * Every line is stored once, but for those that never left their sender because its buffer was full. That a frame
 * was given up is no excuse: a receiver makes that happen by answering badly, or holds the frame and stores it yet.
 */
export function judgeLines(sent: readonly Line[], places: Places): string[] {
  const wrong: string[] = []
  for (const line of sent) {
    const count = places.get(own(line))?.length ?? 0
    const expected = line.fate === 'displaced' ? 0 : 1
    if (count !== expected) wrong.push(`${own(line)}, ${line.fate}: stored ${String(count)} times`)
  }
  const known = new Set(sent.map(own))
  for (const name of places.keys()) if (!known.has(name)) wrong.push(`${name} was never sent`)
  return wrong
}

/** What was sent last is stored last: within a frame, and in the frames that a node had answered one by one. */
export function judgeOrder(node: Node, places: Places): string[] {
  const wrong: string[] = []
  const last = new Map<string, StoredLine>()
  for (const frame of node.frames) {
    const isAnswered = frame.lines.every(({ fate }) => fate === 'acknowledged')
    const before = isAnswered ? last : new Map<string, StoredLine>()
    for (const line of frame.lines) {
      const [place] = places.get(own(line)) ?? []
      if (!place) continue
      const earlier = before.get(line.process)
      if (earlier && !isBehind(place, earlier)) wrong.push(`${own(line)} was overtaken`)
      before.set(line.process, place)
    }
  }
  return wrong
}

function isBehind(place: StoredLine, earlier: StoredLine): boolean {
  return place.partition === earlier.partition && place.offset > earlier.offset
}

/** A frame is stored whole or not at all. */
function judgeWholeness(node: Node, places: Places): string[] {
  return node.frames.flatMap(({ id, lines }) => {
    const there = lines.filter((line) => places.has(own(line))).length
    return there === 0 || there === lines.length ? [] : [`frame ${id} is there in part`]
  })
}

/** An answer that is not 2xx costs lines, sooner or later; so does one that cannot be read. */
function judgeAnswers(node: Node): string[] {
  return node.frames.flatMap(({ id, answers }) =>
    answers.filter(isBad).map((answer) => `frame ${id} was answered ${String(answer)}`),
  )
}

function isBad(answer: Answer): boolean {
  return typeof answer === 'number' ? answer < 200 || answer > 299 : answer === 'garbage'
}

/** What is missing is told of: senders say how many lines they dropped, at most, and that is kept. */
function judgeGaps(sent: readonly Line[], stored: readonly StoredLine[]): string[] {
  const places = placesOf(stored)
  const missing = sent.filter((line) => !places.has(own(line))).length
  const told = stored.reduce((sum, { dropped = 0 }) => sum + dropped, 0)
  if (told >= missing) return []
  return [`${String(missing)} lines are missing, and ${String(told)} are told of as lost`]
}

/** All that is wrong with what was stored. */
export function judge(
  sent: readonly Line[],
  nodes: readonly Node[],
  stored: readonly StoredLine[],
): string[] {
  const places = placesOf(stored)
  return [
    ...judgeLines(sent, places),
    ...nodes.flatMap((node) => [
      ...judgeOrder(node, places),
      ...judgeWholeness(node, places),
      ...judgeAnswers(node),
    ]),
    ...judgeGaps(sent, stored),
  ]
}

/** Frames that were tried again. */
export function retried(nodes: readonly Node[]): Frame[] {
  return nodes.flatMap(({ frames }) => frames.filter(({ answers }) => answers.length > 1))
}
