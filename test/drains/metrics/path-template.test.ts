import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { pathTemplate } from '../../../src/drains/metrics/path-template.ts'

const UUID = '9f0c2d1a-1111-4222-8333-444455556666'

describe('pathTemplate', () => {
  it.each([
    // What is no id stays.
    ['/', '/'],
    ['', ''],
    ['*', '*'],
    ['/users', '/users'],
    ['/api/v2/users', '/api/v2/users'],
    ['/oauth2/s3/mp3', '/oauth2/s3/mp3'],
    ['/terms-and-conditions', '/terms-and-conditions'],
    ['/getUserV2ById', '/getUserV2ById'],
    ['/GetCustomerAccountStatementById', '/GetCustomerAccountStatementById'],
    ['/.well-known/openid-configuration', '/.well-known/openid-configuration'],
    ['/wp-login.php', '/wp-login.php'],
    ['/main.min.js', '/main.min.js'],
    ['/.env', '/.env'],
    ['/face2face', '/face2face'],
    // Ids.
    [`/users/123/orders/${UUID}?x=1`, '/users/:id/orders/:uuid'],
    [`/users/${UUID.toUpperCase()}`, '/users/:uuid'],
    [`/user-${UUID}.json`, '/user-:uuid.json'],
    ['/-5', '/:id'],
    ['/1,2,3', '/:id'],
    ['/10.0.0.1', '/:id'],
    ['/order-12345', '/order-:id'],
    ['/tiles/12/2048/1362.png', '/tiles/:id/:id/:id.png'],
    ['/507f1f77bcf86cd799439011', '/:hex'],
    ['/d41d8cd98f00b204e9800998ecf8427e', '/:hex'],
    ['/commit/0xDEADBEEF00', '/commit/:hex'],
    // Tokens.
    ['/watch/dQw4w9WgXcQ', '/watch/:token'],
    ['/c/cus_9s6XKzkNRiz8i3', '/c/:token'],
    ['/01ARZ3NDEKTSV4RRFFQ69G5FAV', '/:token'],
    ['/cjld2cjxh0000qzrmn831i7rn', '/:token'],
    ['/V1StGXR8_Z5jdHi6B-myT', '/:token'],
    ['/reset/dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk', '/reset/:token'],
    ['/eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3', '/:token'],
    // Dates, people, texts.
    ['/2024-11-21', '/:date'],
    ['/2024-11-21T10:00:00Z', '/:date'],
    ['/2024/11', '/:id/:id'],
    ['/a@b.co/x', '/:email/x'],
    ['/ann%40example.com', '/:email'],
    ['/@alice', '/:handle'],
    ['/search/a b c', '/search/:text'],
    ['/search/a%20b', '/search/:text'],
    ['/blog/how-to-reset-your-password', '/blog/:slug'],
    // Files with hashes in their names.
    ['/app.3f2a9c1d.js', '/app.:hash.js'],
    ['/assets/index-BfX92aQp.js', '/assets/index-:hash.js'],
    ['/logo-5d41402abc4b2a76b9719d911017c592.PNG', '/logo-:hash.png'],
    ['/jquery-3.6.0.min.js', '/jquery-:id.min.js'],
    ['/IMG_20240101.JPG', '/IMG_:id.jpg'],
    // What is around a path, and in its ways of being written.
    ['//a///b/', '/a/b'],
    ['/a#b?c', '/a'],
    ['/a?b#c/d', '/a'],
    ['/a;jsessionid=12/b', '/a/b'],
    ['https://example.com/x/1?y', '/x/:id'],
    ['https://example.com', '/'],
    ['foo/12', '/foo/:id'],
    ['/%C3%BCber-uns', '/über-uns'],
    ['/u\u0308ber-uns', '/über-uns'],
    ['/日本', '/日本'],
    ['/%2Fetc%2fpasswd', '/:text'],
    ['/100%', '/:id%'],
    ['/\ud800x', '/\ufffdx'],
    ['/a\u0000b', '/:text'],
  ])('%j -> %j', (path, template) => {
    expect(pathTemplate(path)).toBe(template)
  })

  it('ends what is too deep or too long', () => {
    expect(pathTemplate('/a/b/c/d/e/f/g/h/i/j')).toBe('/a/b/c/d/e/f/g/h/*')
    expect(pathTemplate('/a/b/c/d/e/f/g/h/')).toBe('/a/b/c/d/e/f/g/h')
    expect(pathTemplate(`/${'x'.repeat(9000)}`)).toBe('/:text')
    expect(pathTemplate(`/${'abc.def.'.repeat(200)}`)).toBe('/:text')
    const word = '/abcdefghijklmnopqrst'
    expect(pathTemplate(word.repeat(7))).toBe(`${word.repeat(5)}/*`)
    expect(pathTemplate('/a'.repeat(1_000_000))).toBe(`${'/a'.repeat(8)}/*`)
  })

  it('is short, well-formed and free of what breaks lines, whatever the path', () => {
    const piece = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 80 }),
      fc.constantFrom('/', '//', '?', '%', '%2F', '%ff', ';', '#', '@', '.js', '\ud800', 'a'),
    )
    const paths = fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join(''))
    fc.assert(
      fc.property(paths, (path) => {
        const template = pathTemplate(path)
        expect(template.length).toBeLessThanOrEqual(124)
        expect(template.isWellFormed()).toBe(true)
        expect(template).not.toMatch(/[\u0000-\u001f ]/)
        if (path !== '' && path !== '*') expect(pathTemplate(`${path}?a=1`)).toBe(template)
      }),
      { seed: 7070, numRuns: 3000 },
    )
  })

  it('finds one template for numbers, UUIDs, digests and random tokens', () => {
    const id = fc.oneof(fc.nat().map(String), fc.uuid(), fc.stringMatching(/^[0-9a-f]{40}$/))
    const templates = new Set<string>()
    fc.assert(
      fc.property(id, (one) => void templates.add(pathTemplate(`/things/${one}/parts`))),
      { seed: 7070, numRuns: 1000 },
    )
    expect([...templates].sort()).toEqual([
      '/things/:hex/parts',
      '/things/:id/parts',
      '/things/:uuid/parts',
    ])
  })
})
