/** A media type without its parameters, in small letters. */
export function essenceOf (mediaType: string): string {
  return (mediaType.split(';', 1)[0] ?? '').trim().toLowerCase()
}

/** Whether it is JSON, also a vendor's. */
export function isJsonType (mediaType: string): boolean {
  return /^application\/(?:[\w.-]+\+)?json$/.test(essenceOf(mediaType))
}

export const multipartType = 'multipart/form-data'
export const urlencodedType = 'application/x-www-form-urlencoded'
