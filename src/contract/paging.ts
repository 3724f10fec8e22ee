import { z } from 'zod'
import { LIMITS } from './limits.ts'

/** Something that a name can begin with or come after. Postgres knows no text with a NUL in it. */
const NamePart = z
  .string()
  .max(LIMITS.topic_name_chars)
  .regex(/^[^\0]*$/, 'must not contain NUL')

/** What to list, by name. */
export const PageQuery = z.strictObject({
  limit: z.number().int().min(1).max(LIMITS.topics_per_page).default(LIMITS.topics_default_page),
  after: NamePart.optional().meta({ description: 'Names after this one.' }),
  prefix: NamePart.optional(),
})
export type PageQuery = z.output<typeof PageQuery>

/** Stands in every page. */
export const NextPage = z
  .string()
  .nullable()
  .meta({ description: 'Path of the next page; null on the last.' })
