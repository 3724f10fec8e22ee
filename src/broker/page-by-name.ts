import type { PageQuery } from '../contract/paging.ts'

/** Rows by name, and the name after which the next page begins; undefined on the last. */
export interface NamedPage<Row> {
  rows: Row[]
  next_after: string | undefined
}

/** Asks for one row more than the page holds: that tells whether there is another page. */
export async function pageByName<Row extends { name: string }>(
  { after = '', prefix = '', limit }: PageQuery,
  list: (page: { after: string; prefix: string; limit: number }) => Promise<Row[]>,
): Promise<NamedPage<Row>> {
  const found = await list({ after, prefix, limit: limit + 1 })
  const rows = found.slice(0, limit)
  return { rows, next_after: found.length > limit ? rows.at(-1)?.name : undefined }
}
