/** Where AWS documents an operation to be supported, as far as this version knows. Such lists grow. */
import type { OperationName } from "../../MeteringError.js"

/** @see https://docs.aws.amazon.com/marketplace/latest/APIReference/metering-regions.html */
export const documentationUrl =
  "https://docs.aws.amazon.com/marketplace/latest/APIReference/metering-regions.html"

const commercialRegions = [
  "af-south-1",
  "ap-east-1",
  "ap-northeast-1",
  "ap-northeast-2",
  "ap-northeast-3",
  "ap-south-1",
  "ap-south-2",
  "ap-southeast-1",
  "ap-southeast-2",
  "ap-southeast-3",
  "ap-southeast-4",
  "ca-central-1",
  "eu-central-1",
  "eu-central-2",
  "eu-north-1",
  "eu-south-1",
  "eu-south-2",
  "eu-west-1",
  "eu-west-2",
  "eu-west-3",
  "il-central-1",
  "me-central-1",
  "me-south-1",
  "sa-east-1",
  "us-east-1",
  "us-east-2",
  "us-west-1",
  "us-west-2"
]

const documentedRegions: { readonly [Name in OperationName]?: ReadonlySet<string> } = {
  BatchMeterUsage: new Set([...commercialRegions, "cn-northwest-1"]),
  // from EC2; containers have fewer
  MeterUsage: new Set([...commercialRegions, "us-gov-east-1", "us-gov-west-1"])
}

/** Whether the operation is documented there; none where no list is at hand. */
export const isDocumented = (operation: OperationName, region: string): boolean | undefined =>
  documentedRegions[operation]?.has(region)
