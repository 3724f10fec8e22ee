import { z } from 'zod'
import { LIMITS } from './limits.ts'
import { TopicName } from './names.ts'
import { NextPage } from './paging.ts'

/** A drain's name stands in its URL. */
export const DrainName = TopicName.meta({
  id: 'DrainName',
  description: 'Name of a drain, as it stands in its URL.',
  example: 'shop',
})

/** What a sender needs beside the credential. Absent where it sends nothing of the kind. */
export const DrainConfig = z
  .strictObject({
    vercel_secret: z.string().min(1).max(LIMITS.drain_secret_chars).optional().meta({
      description:
        'The secret that Vercel signs with. A request with `x-vercel-signature` is then checked by it alone.',
    }),
    vercel_verify: z.string().min(1).max(LIMITS.drain_secret_chars).optional().meta({
      description: 'What Vercel wants to see as `x-vercel-verify` when a drain is set up.',
    }),
  })
  .meta({ id: 'DrainConfig' })
export type DrainConfig = z.infer<typeof DrainConfig>

export const CreateDrain = z
  .strictObject({
    name: DrainName,
    topic: TopicName.optional().meta({
      description: 'Where its lines go; created if there is none. By default named like the drain.',
    }),
    partitions: z
      .number()
      .int()
      .min(1)
      .max(LIMITS.partitions_per_topic)
      .default(1)
      .meta({ description: 'Of the topic, if it is created.' }),
    config: DrainConfig.default({}),
  })
  .meta({ id: 'CreateDrain' })
export type CreateDrain = z.output<typeof CreateDrain>

const Time = z.string().meta({ description: 'RFC 3339.' })
const Count = z.number().int().min(0)

export const DrainSummary = z
  .strictObject({
    name: DrainName,
    topic: TopicName,
    url: z.string().meta({ description: 'Where senders post to; without the credential.' }),
    created_at: Time,
  })
  .meta({ id: 'DrainSummary' })
export type DrainSummary = z.infer<typeof DrainSummary>

/** Lines to paste; each holds the credential. */
export const DrainCommands = z
  .strictObject({
    heroku: z.string(),
    heroku_fir: z.string(),
    curl: z.string(),
  })
  .meta({ id: 'DrainCommands', description: 'Whole lines to paste.' })
export type DrainCommands = z.infer<typeof DrainCommands>

/** The only answer that shows the credential. */
export const DrainWithCredential = DrainSummary.extend({
  credential: z.string().meta({
    description:
      'Shown this once; only its hash is kept. User or password of Basic, or a Bearer token.',
  }),
  commands: DrainCommands,
}).meta({ id: 'DrainWithCredential' })
export type DrainWithCredential = z.infer<typeof DrainWithCredential>

const Received = z.strictObject({
  frames: Count.meta({ description: 'Requests that were taken in, repeated ones left out.' }),
  lines: Count.meta({ description: 'Log lines or events stored.' }),
  bytes: Count.meta({ description: 'Of the bodies, decompressed.' }),
  duplicates: Count.meta({ description: 'Requests or events that had come before.' }),
  flagged: Count.meta({
    description: 'Lines kept as they came, but not as announced or not understood.',
  }),
  last_frame_at: Time.nullable(),
  last_frame_id: z.string().nullable(),
  arrival_lag_ms: z.number().int().nullable().meta({
    description:
      'From the time that the youngest line of the last frame names to its arrival here.',
  }),
})

const Gaps = z.strictObject({
  count: Count.meta({ description: 'How often the sender said that it had lost lines.' }),
  dropped_lines: Count.meta({
    description: 'How many it spoke of, at most: a line that arrived late may be among them.',
  }),
  last_at: Time.nullable(),
})

const Looped = z.strictObject({
  lines: Count.meta({
    description:
      'Router lines about requests to this very drain; left out, or they would never end.',
  }),
  last_at: Time.nullable(),
})

const DrainSource = z
  .strictObject({
    source: z.string().meta({ description: 'App or drain token, and process.' }),
    frames: Count,
    first_seen_at: Time,
    last_seen_at: Time,
  })
  .meta({ id: 'DrainSource' })

export const Drain = DrainSummary.extend({
  received: Received,
  gaps: Gaps,
  looped: Looped,
  sources: z.array(DrainSource).meta({
    description: `Apps and processes seen, the latest first; the last ${String(LIMITS.drain_sources_shown)}.`,
  }),
}).meta({ id: 'Drain' })
export type Drain = z.infer<typeof Drain>

export const DrainPage = z
  .strictObject({
    drains: z.array(DrainSummary),
    next: NextPage,
  })
  .meta({ id: 'DrainPage' })

export const RotateDrain = z
  .strictObject({
    grace_ms: z
      .number()
      .int()
      .min(0)
      .max(LIMITS.drain_grace_ms)
      .default(LIMITS.drain_grace_default_ms)
      .meta({ description: 'How long the credential it had still counts. Default an hour.' }),
  })
  .meta({ id: 'RotateDrain' })
export type RotateDrain = z.output<typeof RotateDrain>
