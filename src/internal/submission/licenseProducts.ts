/** Which licenses are of one product, as far as the service's responses show it. */
import type { PendingRecord } from "./pendingRecord.js"

export interface LicenseProducts {
  /** One name for all licenses that are known to be of one product. */
  readonly representativeOf: (licenseArn: string) => string
  /** The service took these in one call, which is for one product. */
  readonly unite: (entries: ReadonlyArray<PendingRecord>) => void
  /** Whether they are certain to be of one product. Without a license the call names it. */
  readonly haveOneProduct: (entries: ReadonlyArray<PendingRecord>) => boolean
}

/** Whether they are of one license, or all of none. */
export const haveOneLicense = ([first, ...others]: ReadonlyArray<PendingRecord>): boolean =>
  others.every(({ record }) => record.licenseArn === first?.record.licenseArn)

export const make = (): LicenseProducts => {
  const parents = new Map<string, string>()
  const sizes = new Map<string, number>()

  const find = (licenseArn: string): string => {
    let root = licenseArn
    for (let parent = parents.get(root); parent !== undefined; parent = parents.get(root))
      root = parent
    return root
  }

  const union = (left: string, right: string): string => {
    const [leftSize, rightSize] = [sizes.get(left) ?? 1, sizes.get(right) ?? 1]
    // of two names the one that more go by stays, so that ways to it are short and what is known by it is found
    const [parentRoot, childRoot] = leftSize >= rightSize ? [left, right] : [right, left]
    parents.set(childRoot, parentRoot)
    sizes.set(parentRoot, leftSize + rightSize)
    return parentRoot
  }

  return {
    representativeOf: find,
    unite: (entries) => {
      let united: string | undefined
      for (const { record } of entries) {
        if (record.licenseArn === undefined) continue
        const root = find(record.licenseArn)
        united = united === undefined || united === root ? root : union(united, root)
      }
    },
    haveOneProduct: ([first, ...others]) => {
      const licenseArn = first?.record.licenseArn
      if (licenseArn === undefined) return true
      const root = find(licenseArn)
      return others.every(
        ({ record }) => record.licenseArn !== undefined && find(record.licenseArn) === root
      )
    }
  }
}
