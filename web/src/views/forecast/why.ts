// How the errors of forecasts come about, and the lines of PyTorch that compute them.

import type { HorizonError } from "../../facts";
import { isNumber, number } from "../../numbers";
import type { Explained } from "../../parts/explained";

/** At most so many squares are written out. */
const MOST = 6;

function root(squares: readonly string[]): string {
  const more = squares.length > MOST ? `, … (+${squares.length - MOST})` : "";
  return `sqrt(mean(${squares.slice(0, MOST).join(", ")}${more}))`;
}

/** Says how the error of one forecast comes about. */
export function errorOf(title: string, value: number, forecast: readonly (number | null)[], truth: readonly (number | null)[]): Explained {
  const pairs = forecast.flatMap((told, k) => (isNumber(told) && isNumber(truth[k]) ? [`(${number(told)} − ${number(truth[k])})²`] : []));
  return {
    title, value,
    equation: "RMSE = sqrt(mean_k (ŷ[k] − y[k])²)",
    filled: `${root(pairs)} = ${number(value)}`,
    code: "((y_hat - y) ** 2).mean().sqrt()",
  };
}

/** Says how the error of a method over the horizon comes about. */
export function overallOf(title: string, value: number, errors: HorizonError): Explained {
  return {
    title, value,
    equation: "RMSE = sqrt(mean_k rmse[k]²),  rmse[k] = sqrt(mean over origins of (ŷ[k] − y[k])²)",
    filled: `${root(errors.rmse.filter(isNumber).map((one) => `${number(one)}²`))} = ${number(value)}`,
    code: "rmse = ((y_hat - y) ** 2).mean(dim=0).sqrt()  # [origins, K] -> [K]\n(rmse ** 2).mean().sqrt()",
  };
}
