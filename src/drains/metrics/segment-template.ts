import { isToken } from './token.ts'

/** Words in a segment from which on it is a title, which somebody made up, and not the name of a route. */
const TITLE_WORDS = 5
const TEXT_CHARS = 64
/** Longer segments are not looked into. */
const READ_CHARS = 512
/** File names carry shorter hashes than paths carry tokens. */
const HASH_CHARS = 8
const WORD_CHARS = 24
const HEX_CHARS = 6
const NAME = /^[a-z]{1,16}(?:[-_][a-z]{1,16}){0,3}$/
const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi
const ONE_UUID = new RegExp(`^${UUID.source}$`, 'i')
const UUID_CHARS = 36
const DATE = /^\d{4}-\d\d(?:-\d\d)?(?:[T ][\d:.,+Zz-]*)?$/
const EMAIL = /^[^@\s]+@[^@\s]+\.[^@\s.]+$/
const DIGITS = /^[+-]?\d+$/
/** With two digits: `face2face` and `decade` are words. */
const HEX = /^(?=.*\d.*\d)(?:0x)?[0-9a-f]{6,}$/i
const NOT_ASCII = /[^\0-\x7f]/
const FILE =
  /^(.+?)((?:\.(?:min|tar|css|js|chunk|bundle|module|prod|dev|d))*\.[a-z][a-z0-9]{0,4})$/i
/** A run of letters and digits: what ids are put together from. */
const PIECE = /[A-Za-z0-9]+/g
const REPEATED_IDS = /:id(?:[-_.,:~+]:id)+/g
const BLANK = /[\s\u0000-\u001f\u007f/]/

/** What a segment's characters are; bits. */
const LETTER = 1
const DIGIT = 2
const OTHER = 4
const KINDS = new Uint8Array(128).fill(OTHER)
KINDS.fill(LETTER, 0x41, 0x5b).fill(LETTER, 0x61, 0x7b).fill(DIGIT, 0x30, 0x3a)

/** One segment of a path, as it was sent, with `:id`, `:uuid` and the like for what differs between requests. */
export function segmentTemplate(segment: string): string {
  if (segment.length > READ_CHARS) return ':text'
  const kinds = kindsIn(segment)
  // Most segments are words, numbers, or short like `v2`: too short for a digest.
  if (kinds === LETTER && segment.length <= WORD_CHARS) return segment
  if (kinds === DIGIT) return ':id'
  if (kinds === (LETTER | DIGIT) && segment.length < HEX_CHARS) return segment
  const text = decoded(segment)
  return whole(text) ?? file(text) ?? pieces(text, false)
}

function kindsIn(segment: string): number {
  let kinds = 0
  for (let at = 0; at < segment.length; at++) kinds |= KINDS[segment.charCodeAt(at)] ?? OTHER
  return kinds
}

function decoded(segment: string): string {
  let text = segment
  try {
    if (segment.includes('%')) text = decodeURIComponent(segment)
  } catch {
    // Not UTF-8, or a bare percent sign: it stays as sent.
  }
  return NOT_ASCII.test(text) ? text.toWellFormed().normalize('NFC') : text
}

/** A segment that is one thing as a whole. */
function whole(text: string): string | undefined {
  if (DIGITS.test(text)) return ':id'
  if (NAME.test(text)) return text
  if (DATE.test(text)) return ':date'
  if (text.length === UUID_CHARS && ONE_UUID.test(text)) return ':uuid'
  if (HEX.test(text)) return ':hex'
  if (text.includes('@')) return named(text)
  return BLANK.test(text) ? ':text' : undefined
}

function named(text: string): string {
  if (EMAIL.test(text)) return ':email'
  return text.startsWith('@') ? ':handle' : ':text'
}

/** A file keeps its ending, which tells more than its name: `app.3f2a9c1d.js` -> `app.:hash.js`. */
function file(text: string): string | undefined {
  if (!text.includes('.') || isToken(text, TEXT_CHARS)) return undefined
  const [, name, ending] = FILE.exec(text) ?? []
  if (name === undefined || ending === undefined) return undefined
  return (whole(name) ?? pieces(name, true)) + ending.toLowerCase()
}

function pieces(text: string, ofFile: boolean): string {
  const without = text.length < UUID_CHARS ? text : text.replace(UUID, ':uuid')
  // A hash stands in a file's name beside words, with a separator between.
  if (!ofFile && without === text && isToken(text)) return ':token'
  if (without.split(/[-_]/).length >= TITLE_WORDS) return ':slug'
  if (without.length > TEXT_CHARS) return ':text'
  return without
    .replace(PIECE, (piece) => pieceTemplate(piece, ofFile))
    .replace(REPEATED_IDS, ':id')
}

function pieceTemplate(piece: string, ofFile: boolean): string {
  if (DIGITS.test(piece)) return ':id'
  if (HEX.test(piece)) return ofFile ? ':hash' : ':hex'
  if (!isToken(piece, ofFile ? HASH_CHARS : undefined)) return piece
  return ofFile ? ':hash' : ':token'
}
