/* eslint-disable @typescript-eslint/no-non-null-assertion -- indexes stay inside what was scanned before */
import * as json from '../records/scan-json.ts'

interface Place {
  /** Which of the names it is. */
  name: number
  /** Its place in that name's list: the lowest wins. */
  rank: number
}

/**
 * Reads some members of JSON objects without parsing them. Each name has a list of paths, the best first; a path's
 * steps are joined by dots, and a step may itself hold dots: `service.name` is found in `{"service":{"name":1}}`
 * and in `{"service.name":1}`.
 */
export class Members<Name extends string> {
  private readonly names: Name[]
  private readonly places = new Map<string, Place>()
  /** Beginnings of paths: objects there are looked into. */
  private readonly ways = new Set<string>()
  private longest = 0
  /** 1 for each length and first byte (length * 256 + byte) that a member of the outer object may have. */
  private readonly firsts: Uint8Array

  constructor(paths: Readonly<Record<Name, readonly string[]>>) {
    this.names = Object.keys(paths) as Name[]
    this.names.forEach((name, index) => {
      paths[name].forEach((path, rank) => this.addPath(path, { name: index, rank }))
    })
    this.firsts = new Uint8Array((this.longest + 1) * 256)
    for (const name of [...this.places.keys(), ...this.ways]) {
      this.firsts[name.length * 256 + name.charCodeAt(0)] = 1
    }
  }

  private addPath(path: string, place: Place): void {
    this.places.set(path, place)
    this.longest = Math.max(this.longest, path.length)
    for (let dot = path.indexOf('.'); dot !== -1; dot = path.indexOf('.', dot + 1)) {
      this.ways.add(path.slice(0, dot))
    }
  }

  /**
   * The text of each name's member in the object at `start`, which must be JSON (skipValue has passed over it):
   * strings decoded, numbers as they are written; members of other types are passed over.
   */
  read(bytes: Buffer, start: number): Partial<Record<Name, string>> {
    const found: Partial<Record<Name, string>> = {}
    if (bytes[start] !== json.OPEN_BRACE) return found
    const ranks = new Uint8Array(this.names.length).fill(255)
    const readObject = (at: number, way: string): number =>
      json.eachMember(bytes, at, (nameStart, nameEnd, valueStart) => {
        const length = nameEnd - nameStart - 2
        // Most members are none of those; making a string of each name took half of the time.
        const mayBe = way
          ? way.length + length <= this.longest
          : this.firsts[length * 256 + bytes[nameStart + 1]!] === 1
        if (!mayBe) return json.skipValue(bytes, valueStart)
        const path = way + bytes.toString('latin1', nameStart + 1, nameEnd - 1)
        const opens = bytes[valueStart] === json.OPEN_BRACE && this.ways.has(path)
        const end = opens ? readObject(valueStart, `${path}.`) : json.skipValue(bytes, valueStart)
        const place = this.places.get(path)
        if (place === undefined || place.rank > ranks[place.name]!) return end
        const text = scalarText(bytes, valueStart, end)
        if (text !== undefined) {
          found[this.names[place.name]!] = text
          ranks[place.name] = place.rank
        }
        return end
      })
    readObject(start, '')
    return found
  }
}

/** The text of the string or number at bytes[from, to); undefined for anything else, and for an empty string. */
function scalarText(bytes: Buffer, from: number, to: number): string | undefined {
  const first = bytes[from]!
  if (first === json.QUOTE) return stringAt(bytes, from, to) || undefined
  const isNumber = first === 0x2d || (first >= 0x30 && first <= 0x39)
  return isNumber ? bytes.toString('latin1', from, to) : undefined
}

/** The text of the JSON string at bytes[from, to), quotes included in the range. */
export function stringAt(bytes: Buffer, from: number, to: number): string {
  const inside = bytes.toString('utf8', from + 1, to - 1)
  return inside.includes('\\') ? (JSON.parse(`"${inside}"`) as string) : inside
}
