/** Which licenses are of one product, as far as the service's responses show it. */
import type { Entry } from "./entry.js"

export interface Licenses {
  /** One name for all licenses that are known to be of one product. */
  readonly nameOf: (licenseArn: string) => string
  /** The service took these in one call, which is for one product. */
  readonly together: (entries: ReadonlyArray<Entry>) => void
  /** Whether they are certain to be of one product. Without a license the call names it. */
  readonly areOfOneProduct: (entries: ReadonlyArray<Entry>) => boolean
}

/** Whether they are of one license, or all of none. */
export const areOfOneLicense = ([first, ...others]: ReadonlyArray<Entry>): boolean =>
  others.every(({ record }) => record.licenseArn === first?.record.licenseArn)

export const make = (): Licenses => {
  const parents = new Map<string, string>()
  const sizes = new Map<string, number>()

  const nameOf = (licenseArn: string): string => {
    let name = licenseArn
    for (let up = parents.get(name); up !== undefined; up = parents.get(name)) name = up
    return name
  }

  const join = (left: string, right: string): string => {
    const [leftSize, rightSize] = [sizes.get(left) ?? 1, sizes.get(right) ?? 1]
    // of two names the one that more go by stays, so that ways to it are short and what is known by it is found
    const [above, below] = leftSize >= rightSize ? [left, right] : [right, left]
    parents.set(below, above)
    sizes.set(above, leftSize + rightSize)
    return above
  }

  return {
    nameOf,
    together: (entries) => {
      let all: string | undefined
      for (const { record } of entries) {
        if (record.licenseArn === undefined) continue
        const name = nameOf(record.licenseArn)
        all = all === undefined || all === name ? name : join(all, name)
      }
    },
    areOfOneProduct: ([first, ...others]) => {
      const licenseArn = first?.record.licenseArn
      if (licenseArn === undefined) return true
      const name = nameOf(licenseArn)
      return others.every(
        ({ record }) => record.licenseArn !== undefined && nameOf(record.licenseArn) === name
      )
    }
  }
}
