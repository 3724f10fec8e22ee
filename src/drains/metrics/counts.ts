/* eslint-disable @typescript-eslint/no-non-null-assertion -- indexes stay inside both arrays, which are as long */

const EMPTY = -1
/** 2^32 divided by the golden ratio: spreads neighbouring keys (Knuth, TAOCP 3, section 6.4). */
const GOLDEN = 0x9e3779b1 | 0
const FEWEST_SLOTS = 32
const BYTES_PER_SLOT = Int32Array.BYTES_PER_ELEMENT + Float64Array.BYTES_PER_ELEMENT

/**
 * Numbers by whole number: a table with open addressing in two typed arrays. It takes 12 bytes a slot, of which up to
 * seven eighths are used; a Map takes about 50 bytes an entry, and there is one of these for each bucket of time.
 */
export class Counts {
  size = 0
  #keys: Int32Array
  #values: Float64Array
  #shift: number

  /** With room for about as many entries; there may be more, or fewer. */
  constructor(entries = 0) {
    const slots = Math.max(FEWEST_SLOTS, 2 ** (32 - Math.clz32(entries)))
    this.#keys = new Int32Array(slots).fill(EMPTY)
    this.#values = new Float64Array(slots)
    this.#shift = Math.clz32(slots - 1)
  }

  get bytes(): number {
    return this.#keys.length * BYTES_PER_SLOT
  }

  /** Adds to the number of a key, from 0 to 2^31 - 1. */
  add(key: number, value: number): void {
    const slot = this.#slotFor(key)
    this.#values[slot]! += value
  }

  /** Makes the number of a key at least this, which is not negative. */
  raise(key: number, value: number): void {
    const slot = this.#slotFor(key)
    if (this.#values[slot]! < value) this.#values[slot] = value
  }

  each(read: (key: number, value: number) => void): void {
    for (let slot = 0; slot < this.#keys.length; slot++) {
      const key = this.#keys[slot]!
      if (key !== EMPTY) read(key, this.#values[slot]!)
    }
  }

  #slotFor(key: number): number {
    const slot = this.#find(key)
    if (this.#keys[slot] === key) return slot
    if (++this.size > this.#keys.length * 0.875) {
      this.#grow()
      return this.#claim(key)
    }
    this.#keys[slot] = key
    return slot
  }

  #claim(key: number): number {
    const slot = this.#find(key)
    this.#keys[slot] = key
    return slot
  }

  /** Where the key is, or the empty slot where it would be. */
  #find(key: number): number {
    const keys = this.#keys
    let slot = Math.imul(key, GOLDEN) >>> this.#shift
    while (keys[slot] !== key && keys[slot] !== EMPTY) slot = (slot + 1) & (keys.length - 1)
    return slot
  }

  #grow(): void {
    const [keys, values] = [this.#keys, this.#values]
    this.#keys = new Int32Array(keys.length * 2).fill(EMPTY)
    this.#values = new Float64Array(keys.length * 2)
    this.#shift--
    for (let slot = 0; slot < keys.length; slot++) {
      const key = keys[slot]!
      if (key !== EMPTY) this.#values[this.#claim(key)] = values[slot]!
    }
  }
}
