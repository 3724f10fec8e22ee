import { base64Problem } from '../records/base64.ts'

/** The bytes that base64 text stands for, in either alphabet; undefined where it is no base64. */
export function base64Data(text: string): Buffer | undefined {
  const standard = Buffer.from(text.replaceAll('-', '+').replaceAll('_', '/'), 'latin1')
  return base64Problem(standard, 0, standard.length) ? undefined : Buffer.from(text, 'base64')
}
