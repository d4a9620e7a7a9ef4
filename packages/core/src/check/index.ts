/** Checks of options and parameters, and what command lines share. */

export { type ArgDefinitions, checkArgs, type ParsedArgs, portArg, UsageError } from "./command-line.ts";
export {
  choiceParameter,
  flagParameter,
  type GivenParameters,
  type NumberLimits,
  numberParameter,
  type NumberOrText,
  optionalNumber,
  type Parameter,
  type Parameterized,
  parameterized,
  type ParameterTable,
  type ParameterValues,
  programParameter,
  requiredNumber,
  textParameters,
  unknownParameter,
} from "./parameters.ts";
