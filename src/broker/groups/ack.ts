import { invalidField } from '../../contract/problem-error.ts'

/**
 * What an answer handed out, in the caller's hands: `member:group_id:generation:partition_id-next_offset,...`. Given back it
 * says how far the caller has come, so that a lost answer is noticed and sent again.
 */
export interface Ack {
  member_id: string
  group_id: number
  generation_id: number
  /** By partition_id, behind the last record handed out and not committed yet. */
  offsets: ReadonlyMap<number, number>
}

export function formatAck({ member_id, group_id, generation_id, offsets }: Ack): string {
  const places = [...offsets].map(([id, offset]) => `${String(id)}-${String(offset)}`)
  return `${member_id}:${String(group_id)}:${String(generation_id)}:${places.join(',')}`
}

const ACK =
  /^([A-Za-z0-9._-]{1,249}):(\d{1,16}):(\d{1,16}):((?:\d{1,16}-\d{1,16}(?:,\d{1,16}-\d{1,16})*)?)$/

export function parseAck(text: string, where: 'body' | 'query', pointer: string): Ack {
  const [, member_id, group, generation, places = ''] = ACK.exec(text) ?? []
  const entries = places === '' ? [] : places.split(',').map((one) => one.split('-').map(Number))
  const numbers = [Number(group), Number(generation), ...entries.flat()]
  if (member_id === undefined || !numbers.every(Number.isSafeInteger)) {
    throw invalidField(where, pointer, 'must be the ack of an answer, unchanged')
  }
  return {
    member_id,
    group_id: Number(group),
    generation_id: Number(generation),
    offsets: new Map(entries as [number, number][]),
  }
}
