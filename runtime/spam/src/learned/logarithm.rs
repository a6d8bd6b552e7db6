//! The natural logarithm from sums, products and quotients alone. Those are exact to the last bit on every machine (IEEE 754);
//! the logarithm of a system's library is not, and equal counts must give equal scores.

/// ln(x) of a positive ordinary number, to some 12 digits.
pub fn ln(x: f64) -> f64 {
    // x = m 2^e with m between 1/sqrt(2) and sqrt(2).
    let bits = x.to_bits();
    let mut exponent = ((bits >> 52) & 0x7ff) as i32 - 1_023;
    let mut mantissa = f64::from_bits(bits & 0x000f_ffff_ffff_ffff | 0x3ff0_0000_0000_0000);
    if mantissa > std::f64::consts::SQRT_2 {
        mantissa /= 2.0;
        exponent += 1;
    }
    // ln(m) = 2 artanh((m - 1) / (m + 1))
    let y = (mantissa - 1.0) / (mantissa + 1.0);
    let square = y * y;
    let mut series = 0.0;
    for odd in [15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0, 1.0] {
        series = series * square + 1.0 / odd;
    }
    f64::from(exponent) * std::f64::consts::LN_2 + 2.0 * y * series
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_logarithm() {
        for step in -4_000..4_000 {
            let x = 1.01f64.powi(step);
            assert!((ln(x) - x.ln()).abs() < 1e-11, "{x}: {} {}", ln(x), x.ln());
        }
        assert_eq!(ln(1.0), 0.0);
        assert_eq!(ln(2.0).to_bits(), std::f64::consts::LN_2.to_bits());
    }
}
