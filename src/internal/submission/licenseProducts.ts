/** Groups licenses by product, as far as accepted calls show it, with a union-find over licenses. */
import type { PendingRecord } from "./pendingRecord.js"

interface LicenseProducts {
  /** Returns the same license for all licenses that are known to be of one product. */
  readonly representativeOf: (licenseArn: string) => string
  /** Records an accepted call, whose licenses are therefore of one product. */
  readonly unite: (items: ReadonlyArray<PendingRecord>) => void
  /**
   * Returns whether the records are certain to be of one product. Records without a license share the product of their call.
   */
  readonly haveOneProduct: (items: ReadonlyArray<PendingRecord>) => boolean
}

/** Returns whether all records have the same license, or all have none. */
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
    // the larger tree stays the root: short paths, and most representatives do not change
    const [parentRoot, childRoot] = leftSize >= rightSize ? [left, right] : [right, left]
    parents.set(childRoot, parentRoot)
    sizes.set(parentRoot, leftSize + rightSize)
    return parentRoot
  }

  return {
    representativeOf: find,
    unite: (items) => {
      let united: string | undefined
      for (const { record } of items) {
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
