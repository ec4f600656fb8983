/** What a user signs in with. */
export interface User {
  name: string
  password: string
}

/**
 * Goes to where an application sends its user, as a user does: signs in, and agrees to what is asked. Gives the
 * address that leads back to the application.
 * @param consents told what the user is asked to agree to
 */
export type UserAgent = (url: URL, user: User, consents: (text: string) => void) => Promise<URL>

/** Attributes of the first field with this name in a page. */
function fieldsIn (html: string): Map<string, string> {
  return new Map([...html.matchAll(/<input\b[^>]*>/g)].flatMap(([field]) => {
    const name = / name="([^"]*)"/.exec(field)?.[1]
    const value = / value="([^"]*)"/.exec(field)?.[1] ?? ''
    return name === undefined || / type="submit"/.test(field) ? [] : [[name, value.replaceAll('&amp;', '&')] as const]
  }))
}

/** A browser without anything that one sees: it follows redirects, keeps cookies and sends forms. */
export function plainUserAgent (): UserAgent {
  const cookies = new Map<string, string>()

  async function request (url: URL, form?: URLSearchParams): Promise<Response> {
    const response = await fetch(url, {
      redirect: 'manual',
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; '), referer: url.href },
      ...form === undefined ? {} : { method: 'POST', body: form }
    })
    for (const cookie of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? []
      cookies.set(name, value)
    }
    return response
  }

  return async (start, user, consents) => {
    const back = start.searchParams.get('redirect_uri') ?? ''
    let url = start
    let form: URLSearchParams | undefined
    for (let step = 0; step < 10; step += 1) {
      const response = await request(url, form)
      const location = response.headers.get('location')
      form = undefined
      if (location !== null) {
        url = new URL(location, url)
        if (url.href.startsWith(`${back}?`)) return url
        continue
      }
      const html = await response.text()
      if (!response.ok) throw new Error(`${url.pathname}: ${response.status} ${html}`)
      const fields = fieldsIn(html)
      if (fields.has('password')) {
        fields.set('username', user.name).set('password', user.password)
      } else {
        consents(html)
        fields.set('allow', 'Authorize')
      }
      form = new URLSearchParams([...fields])
    }
    throw new Error(`the sign-in ends at ${url.href}`)
  }
}
