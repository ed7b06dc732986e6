//! The kernels of one instruction set as a table of functions, and the choice of a table at run time.

#[cfg(target_arch = "aarch64")]
use std::arch::is_aarch64_feature_detected;
use std::fmt;
use std::ops::Range;
use std::sync::OnceLock;

use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};

use crate::activations::{self, ActivationLayout, ActivationRows, Activations};
use crate::attention::{self, HeadCache, QuantizedHeadCache, Queries};
use crate::ceiling;
use crate::elementwise;
use crate::matmul::{self, MatMul, MatMulKernels, Output, PanelFormat};
use crate::packed::{PackedMatrix, WeightFormat};
use crate::simd::{self, Simd};

/// The environment variable that names the only kernels to use, for tests and comparisons; see [`Kernels::available`].
pub const OVERRIDE: &str = "SOTTO_KERNELS";

type FloatMatmul = unsafe fn(&PackedMatrix<'_>, &[f32], Range<usize>, &Output<'_>);
type LayerNorm = unsafe fn(&[f32], &[f32], &[f32], f32, &mut [f32]);
type Attend<E> = unsafe fn(&HeadCache<'_, E>, &Queries<'_>, &Output<'_>);

/// One instruction set's kernels. All sets give the same results, to the last bit.
pub struct Kernels {
    name: &'static str,
    is_available: fn() -> bool,
    quantize: unsafe fn(&[f32], &mut ActivationRows<'_>),
    interleave: unsafe fn(&mut ActivationRows<'_>),
    q4_0: MatMulKernels,
    q4_1: MatMulKernels,
    q5_0: MatMulKernels,
    q5_1: MatMulKernels,
    q8_0: MatMulKernels,
    iq4_nl: MatMulKernels,
    q2_k: MatMulKernels,
    q3_k: MatMulKernels,
    q4_k: MatMulKernels,
    q5_k: MatMulKernels,
    q6_k: MatMulKernels,
    iq4_xs: MatMulKernels,
    codes: MatMulKernels,
    f32: FloatMatmul,
    f16: FloatMatmul,
    bf16: FloatMatmul,
    attend_f16: Attend<f16>,
    attend_f32: Attend<f32>,
    attend_q8: unsafe fn(&QuantizedHeadCache<'_>, &Queries<'_>, &Output<'_>),
    rms_norm: unsafe fn(&[f32], &[f32], f32, &mut [f32]),
    layer_norm: LayerNorm,
    swiglu: unsafe fn(&mut [f32], &[f32]),
    geglu: unsafe fn(&mut [f32], &[f32]),
    gelu: unsafe fn(&mut [f32]),
    soft_cap: unsafe fn(&mut [f32], f32),
    add: unsafe fn(&mut [f32], &[f32]),
    scale: unsafe fn(&mut [f32], f32),
    multiply_accumulates: unsafe fn(usize) -> u64,
    read: unsafe fn(&[u8]),
}

/// Compiles the algorithms for an instruction set; with `as $other`, only those that another table lacks: the products of
/// integers.
macro_rules! table {
    ($table:ident, $name:literal, $isa:ty, $is_available:expr $(, $features:literal)?) => {
        static $table: Kernels = {
            table!(@function [$($features)?] unsafe fn float_f32[s: $isa](w: &PackedMatrix<'_>, x: &[f32], panels: Range<usize>, out: &Output<'_>)
                = matmul::float::matmul::<$isa, f32>(s, w, x, panels, out));
            table!(@function [$($features)?] unsafe fn float_f16[s: $isa](w: &PackedMatrix<'_>, x: &[f32], panels: Range<usize>, out: &Output<'_>)
                = matmul::float::matmul::<$isa, f16>(s, w, x, panels, out));
            table!(@function [$($features)?] unsafe fn float_bf16[s: $isa](w: &PackedMatrix<'_>, x: &[f32], panels: Range<usize>, out: &Output<'_>)
                = matmul::float::matmul::<$isa, bf16>(s, w, x, panels, out));
            table!(@function [$($features)?] unsafe fn attend_f16[s: $isa](cache: &HeadCache<'_, f16>, queries: &Queries<'_>, out: &Output<'_>)
                = attention::attend::<$isa, f16>(s, cache, queries, out));
            table!(@function [$($features)?] unsafe fn attend_f32[s: $isa](cache: &HeadCache<'_, f32>, queries: &Queries<'_>, out: &Output<'_>)
                = attention::attend::<$isa, f32>(s, cache, queries, out));
            table!(@function [$($features)?] fn quantize[s: $isa](x: &[f32], rows: &mut ActivationRows<'_>)
                = activations::quantize(s, x, rows));
            table!(@function [$($features)?] fn rms_norm(x: &[f32], weight: &[f32], epsilon: f32, out: &mut [f32])
                = elementwise::rms_norm(x, weight, epsilon, out));
            table!(@function [$($features)?] fn layer_norm(x: &[f32], weight: &[f32], bias: &[f32], epsilon: f32, out: &mut [f32])
                = elementwise::layer_norm(x, weight, bias, epsilon, out));
            table!(@function [$($features)?] fn gelu[s: $isa](x: &mut [f32])
                = elementwise::gelu(s, x));
            table!(@function [$($features)?] fn swiglu[s: $isa](gate: &mut [f32], up: &[f32])
                = elementwise::gated(s, elementwise::Silu, gate, up));
            table!(@function [$($features)?] fn geglu[s: $isa](gate: &mut [f32], up: &[f32])
                = elementwise::gated(s, elementwise::GeluTanh, gate, up));
            table!(@function [$($features)?] fn soft_cap[s: $isa](x: &mut [f32], cap: f32)
                = elementwise::soft_cap(s, x, cap));
            table!(@function [$($features)?] fn add(x: &mut [f32], update: &[f32])
                = elementwise::add(x, update));
            table!(@function [$($features)?] fn scale(x: &mut [f32], factor: f32)
                = elementwise::scale(x, factor));
            table!(@function [$($features)?] fn read[s: $isa](bytes: &[u8])
                = ceiling::read(s, bytes));
            table!(@with_products $name, $isa, $is_available, [$($features)?], {
                f32: float_f32, f16: float_f16, bf16: float_bf16,
                attend_f16, attend_f32, quantize, rms_norm, layer_norm, swiglu, geglu, gelu, soft_cap, add, scale, read,
            })
        };
    };
    ($table:ident as $other:ident, $name:literal, $isa:ty, $is_available:expr, $features:literal) => {
        static $table: Kernels = table!(@with_products $name, $isa, $is_available, [$features], { ..$other });
    };
    (@with_products $name:literal, $isa:ty, $is_available:expr, [$($features:literal)?], { $($others:tt)* }) => {{
        table!(@gemm [$($features)?] less_eight: matmul::Q4_0 => $isa);
        table!(@gemm [$($features)?] signed: matmul::Q8_0 => $isa);
        table!(@gemm [$($features)?] cached_values: matmul::CachedValues => $isa);
        table!(@gemm [$($features)?] with_min: matmul::Q5_1 => $isa);
        table!(@gemm [$($features)?] halves: matmul::Halves => $isa);
        table!(@gemm [$($features)?] k_nibbles: matmul::Q4K => $isa);
        table!(@gemm [$($features)?] k_five_bits: matmul::Q5K => $isa);
        table!(@gemm [$($features)?] k_six_bits: matmul::Q6K => $isa);
        table!(@gemm [$($features)?] signed_multiples: matmul::IQ4XS => $isa);
        table!(@gemm [$($features)?] k_three_bits: <$isa as matmul::MatMul>::ThreeBits => $isa);
        const Q8_0: MatMulKernels = table!(@product [$($features)?] Q8_0 for $isa, signed);
        const VALUES: MatMulKernels = table!(@product [$($features)?] CachedValues for $isa, cached_values);
        table!(@function [$($features)?] unsafe fn attend_q8[s: $isa](cache: &QuantizedHeadCache<'_>, queries: &Queries<'_>, out: &Output<'_>)
            = attention::attend_quantized(s, cache, queries, [Q8_0, VALUES], out));
        table!(@function [$($features)?] fn interleave[s: $isa](rows: &mut ActivationRows<'_>)
            = matmul::interleave(s, rows));
        table!(@function [$($features)?] fn multiply_accumulates[s: $isa](rounds: usize) -> u64
            = ceiling::multiply_accumulates(s, rounds));
        Kernels {
            name: $name,
            is_available: $is_available,
            interleave,
            q4_0: table!(@product [$($features)?] Q4_0 for $isa, less_eight),
            q4_1: table!(@product [$($features)?] Q4_1 for $isa, with_min),
            q5_0: table!(@product [$($features)?] Q5_0 for $isa, signed),
            q5_1: table!(@product [$($features)?] Q5_1 for $isa, with_min),
            q8_0: Q8_0,
            iq4_nl: table!(@product [$($features)?] IQ4NL for $isa, signed),
            q2_k: table!(@product [$($features)?] Q2K for $isa, halves),
            q3_k: table!(@product [$($features)?] Q3K for $isa, k_three_bits),
            q4_k: table!(@product [$($features)?] Q4K for $isa, k_nibbles),
            q5_k: table!(@product [$($features)?] Q5K for $isa, k_five_bits),
            q6_k: table!(@product [$($features)?] Q6K for $isa, k_six_bits),
            iq4_xs: table!(@product [$($features)?] IQ4XS for $isa, signed_multiples),
            codes: table!(@product [$($features)?] Codes for $isa, halves),
            attend_q8,
            multiply_accumulates,
            $($others)*
        }
    }};
    (@gemm $features:tt $name:ident: $arithmetic:ty => $isa:ty) => {
        table!(@function $features unsafe fn $name[s: $isa](
            weights: &PackedMatrix<'_>, x: &Activations, panels: Range<usize>, out: &Output<'_>, unpack: matmul::Unpack
        ) = s.gemm::<$arithmetic>(weights, x, panels, out, unpack));
    };
    (@product $features:tt $format:ident for $isa:ty, $gemm:ident) => {{
        // Its name is in those of its functions, by which `cargo xtask mca-arm` finds them.
        #[allow(non_upper_case_globals, reason = "the name of the format's type")]
        const $format: MatMulKernels = {
            table!(@function $features unsafe fn gemv[s: $isa](weights: &PackedMatrix<'_>, x: &Activations, panels: Range<usize>, out: &Output<'_>)
                = s.gemv::<matmul::$format>(weights, x, panels, out));
            table!(@function $features unsafe fn unpack[s: $isa](block: *const u8, subs: usize, depth_block: *mut u8)
                = s.unpack::<matmul::$format>(block, subs, depth_block));
            MatMulKernels {
                gemv,
                gemv_rows: matmul::$format::GEMV_ROWS,
                layout: ActivationLayout::new(matmul::$format::FORMAT.activation_group(), <$isa as MatMul>::INTERLEAVING),
                unpack,
                gemm: $gemm,
            }
        };
        $format
    }};
    (@function [$($features:literal)?] fn $name:ident$([$s:ident: $isa:ty])?($($argument:ident: $type:ty),*) $(-> $out:ty)? = $body:expr) => {
        /// # Safety
        /// The CPU has the features.
        $(#[target_feature(enable = $features)])?
        fn $name($($argument: $type),*) $(-> $out)? {
            $(
                // SAFETY: a function with these features is called only where the CPU has them, by its `# Safety`.
                let $s = unsafe { <$isa as Simd>::new() };
            )?
            $body
        }
    };
    (@function [$($features:literal)?] unsafe fn $name:ident[$s:ident: $isa:ty]($($argument:ident: $type:ty),*) = $body:expr) => {
        /// # Safety
        /// The CPU has the features, and the conditions of the function in here hold.
        $(#[target_feature(enable = $features)])?
        unsafe fn $name($($argument: $type),*) {
            // SAFETY: a function with these features is called only where the CPU has them, by its `# Safety`; that of the function in
            // here holds, by the same.
            unsafe {
                let $s = <$isa as Simd>::new();
                $body
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
table!(
    AVX512_VNNI,
    "avx512vnni",
    simd::x86::Avx512Vnni,
    || is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vnni")
        && is_x86_feature_detected!("fma"),
    "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,fma"
);
#[cfg(target_arch = "x86_64")]
table!(
    AVX_VNNI as AVX2,
    "avxvnni",
    simd::x86::AvxVnni,
    || is_x86_feature_detected!("avxvnni")
        && is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("fma")
        && is_x86_feature_detected!("f16c"),
    "avxvnni,avx2,fma,f16c"
);
#[cfg(target_arch = "x86_64")]
table!(
    AVX2,
    "avx2",
    simd::x86::Avx2,
    || is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") && is_x86_feature_detected!("f16c"),
    "avx2,fma,f16c"
);
#[cfg(target_arch = "aarch64")]
table!(
    I8MM as NEON,
    "i8mm",
    simd::arm::I8mm,
    || is_aarch64_feature_detected!("i8mm") && is_aarch64_feature_detected!("dotprod"),
    "neon,dotprod,i8mm"
);
#[cfg(target_arch = "aarch64")]
table!(DOTPROD as NEON, "dotprod", simd::arm::DotProd, || is_aarch64_feature_detected!("dotprod"), "neon,dotprod");
#[cfg(target_arch = "aarch64")]
table!(NEON, "neon", simd::arm::Neon, || is_aarch64_feature_detected!("neon"), "neon");
table!(PORTABLE, "scalar", simd::Portable, || true);

/// The best first.
#[cfg(target_arch = "x86_64")]
static TABLES: [&Kernels; 4] = [&AVX512_VNNI, &AVX_VNNI, &AVX2, &PORTABLE];
#[cfg(target_arch = "aarch64")]
static TABLES: [&Kernels; 4] = [&I8MM, &DOTPROD, &NEON, &PORTABLE];
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
static TABLES: [&Kernels; 1] = [&PORTABLE];

impl Kernels {
    /// The kernels for this CPU: the first of [`Kernels::available`]. Chosen once.
    pub fn get() -> &'static Self {
        static CHOSEN: OnceLock<&'static Kernels> = OnceLock::new();
        CHOSEN.get_or_init(|| Self::available().next().unwrap_or(&PORTABLE))
    }

    /// All kernels that run on this CPU, the fastest first; where [`OVERRIDE`] names one of them, that one alone.
    pub fn available() -> impl Iterator<Item = &'static Self> {
        let only = std::env::var(OVERRIDE).ok().and_then(|name| Self::named(&name));
        TABLES.into_iter().filter(move |kernels| match only {
            Some(only) => std::ptr::eq(only, *kernels),
            None => (kernels.is_available)(),
        })
    }

    /// The kernels of that name, if they run on this CPU.
    pub fn named(name: &str) -> Option<&'static Self> {
        TABLES.into_iter().find(|kernels| kernels.name == name && (kernels.is_available)())
    }

    /// Their instruction set: `avx512vnni`, `avxvnni`, `avx2`, `i8mm`, `dotprod`, `neon` or `scalar`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// How the activations of a product with `rows` rows of them and weights of that format are to lie, for [`Activations::resize`].
    ///
    /// # Panics
    /// When the weights are not quantized.
    pub fn activation_layout(&self, format: WeightFormat, rows: usize) -> ActivationLayout {
        self.product(format).activation_layout(rows)
    }

    /// Rounds rows of activations, and lays them out as tiles read them where there is room for that. Values that are not finite make a
    /// scale that is not, and so a product that is not.
    ///
    /// # Panics
    /// When the lengths differ.
    pub fn quantize(&self, x: &[f32], rows: &mut ActivationRows<'_>) {
        // SAFETY: a table is handed out only where its instructions are available.
        unsafe {
            (self.quantize)(x, rows);
            (self.interleave)(rows);
        }
    }

    /// The columns of `panels` of the product of `x` with a quantized matrix: `out[i][j] = Σ x[i][k] * weights[j][k]`.
    ///
    /// # Safety
    /// No other thread uses these panels' columns of `out` meanwhile.
    ///
    /// # Panics
    /// When sizes do not fit together, the weights are not quantized, or the activations do not have the layout that these kernels want
    /// of so many rows.
    pub unsafe fn matmul(&self, weights: &PackedMatrix<'_>, x: &Activations, panels: Range<usize>, out: &Output<'_>) {
        assert_eq!((weights.cols(), weights.format().activation_group()), (x.cols(), x.group()), "activation width");
        check(weights, x.rows(), &panels, out);
        assert!(!out.adds(), "only products with weights that are not quantized are added");
        // SAFETY: a table is handed out only where the CPU has its instructions; sizes fit, as checked above; no other thread uses the
        // columns, by `# Safety`.
        unsafe { self.product(weights.format()).multiply(weights, x, panels, out) }
    }

    fn product(&self, format: WeightFormat) -> &MatMulKernels {
        match format {
            WeightFormat::Q4_0 => &self.q4_0,
            WeightFormat::Q4_1 => &self.q4_1,
            WeightFormat::Q5_0 => &self.q5_0,
            WeightFormat::Q5_1 => &self.q5_1,
            WeightFormat::Q8_0 => &self.q8_0,
            WeightFormat::IQ4NL => &self.iq4_nl,
            WeightFormat::Q2K => &self.q2_k,
            WeightFormat::Q3K => &self.q3_k,
            WeightFormat::Q4K => &self.q4_k,
            WeightFormat::Q5K => &self.q5_k,
            WeightFormat::Q6K => &self.q6_k,
            WeightFormat::IQ4XS => &self.iq4_xs,
            WeightFormat::Codes => &self.codes,
            WeightFormat::F32 | WeightFormat::F16 | WeightFormat::BF16 => panic!("weights are not quantized"),
        }
    }

    /// As [`Kernels::matmul`], with weights that are not quantized and activations that are not rounded.
    ///
    /// # Safety
    /// As there.
    ///
    /// # Panics
    /// When sizes do not fit together or the weights are quantized.
    pub unsafe fn matmul_float(&self, weights: &PackedMatrix<'_>, x: &[f32], panels: Range<usize>, out: &Output<'_>) {
        assert!(x.len().is_multiple_of(weights.cols()), "activation width");
        check(weights, x.len() / weights.cols(), &panels, out);
        let matmul = match weights.format() {
            WeightFormat::F32 => self.f32,
            WeightFormat::F16 => self.f16,
            WeightFormat::BF16 => self.bf16,
            format => panic!("weights are quantized: {format}"),
        };
        // SAFETY: a table is handed out only where the CPU has its instructions; sizes fit, as checked above; no other thread uses the
        // columns, by `# Safety`.
        unsafe { matmul(weights, x, panels, out) }
    }

    /// Attention of some heads of some tokens: `out[token][head] = softmax(scale * query · keys) · values`.
    ///
    /// # Safety
    /// No other thread uses these heads of these tokens in `out` meanwhile.
    ///
    /// # Panics
    /// When sizes do not fit together.
    pub unsafe fn attend<E: CacheElement>(&self, cache: &HeadCache<'_, E>, queries: &Queries<'_>, out: &Output<'_>) {
        assert!(queries.last_visible() <= cache.positions(), "positions");
        // SAFETY: a table is handed out only where the CPU has its instructions; no other thread uses these heads of these tokens, by
        // `# Safety`. Reads are within slices, and what is written is checked by `Output`.
        unsafe { E::attend(self)(cache, queries, out) }
    }

    /// As [`Kernels::attend`], over a quantized cache: queries and softmax weights are rounded to eight bits too.
    ///
    /// # Safety
    /// As there.
    ///
    /// # Panics
    /// When sizes do not fit together.
    pub unsafe fn attend_quantized(&self, cache: &QuantizedHeadCache<'_>, queries: &Queries<'_>, out: &Output<'_>) {
        assert!(queries.last_visible() <= cache.positions(), "positions");
        // SAFETY: a table is handed out only where the CPU has its instructions; no other thread uses these heads of these tokens, by
        // `# Safety`.
        unsafe { (self.attend_q8)(cache, queries, out) }
    }

    /// See [`crate::scalar::rms_norm`].
    pub fn rms_norm(&self, x: &[f32], weight: &[f32], epsilon: f32, out: &mut [f32]) {
        // SAFETY: a table is handed out only where its instructions are available.
        unsafe { (self.rms_norm)(x, weight, epsilon, out) }
    }

    /// See [`crate::scalar::layer_norm`].
    ///
    /// # Panics
    /// When the lengths differ.
    pub fn layer_norm(&self, x: &[f32], weight: &[f32], bias: &[f32], epsilon: f32, out: &mut [f32]) {
        // SAFETY: a table is handed out only where its instructions are available.
        unsafe { (self.layer_norm)(x, weight, bias, epsilon, out) }
    }

    /// See [`crate::scalar::gelu`], of each number.
    pub fn gelu(&self, x: &mut [f32]) {
        // SAFETY: a table is handed out only where its instructions are available.
        unsafe { (self.gelu)(x) }
    }

    /// See [`crate::scalar::swiglu`].
    pub fn swiglu(&self, gate: &mut [f32], up: &[f32]) {
        // SAFETY: a table is handed out only where its instructions are available.
        unsafe { (self.swiglu)(gate, up) }
    }

    /// See [`crate::scalar::geglu`].
    ///
    /// # Panics
    /// When the lengths differ.
    pub fn geglu(&self, gate: &mut [f32], up: &[f32]) {
        // SAFETY: a table is handed out only where its instructions are available.
        unsafe { (self.geglu)(gate, up) }
    }

    /// See [`crate::scalar::soft_cap`]; NaN of what is not finite.
    pub fn soft_cap(&self, x: &mut [f32], cap: f32) {
        // SAFETY: a table is handed out only where its instructions are available.
        unsafe { (self.soft_cap)(x, cap) }
    }

    /// `x[i] *= factor`.
    pub fn scale(&self, x: &mut [f32], factor: f32) {
        // SAFETY: a table is handed out only where its instructions are available.
        unsafe { (self.scale)(x, factor) }
    }

    /// `x[i] += update[i]`.
    ///
    /// # Panics
    /// When the lengths differ.
    pub fn add(&self, x: &mut [f32], update: &[f32]) {
        // SAFETY: a table is handed out only where its instructions are available.
        unsafe { (self.add)(x, update) }
    }
}

impl Kernels {
    /// A measure of the machine: does `rounds` rounds of products of bytes from register to register, on one thread, and
    /// returns how many multiply-accumulates they were.
    pub fn multiply_accumulates(&self, rounds: usize) -> u64 {
        // SAFETY: a table is handed out only where its instructions are available.
        unsafe { (self.multiply_accumulates)(rounds) }
    }

    /// A measure of the machine: reads `bytes`, and does nothing else.
    pub fn read(&self, bytes: &[u8]) {
        // SAFETY: a table is handed out only where its instructions are available.
        unsafe { (self.read)(bytes) }
    }
}

fn check(weights: &PackedMatrix<'_>, rows: usize, panels: &Range<usize>, out: &Output<'_>) {
    assert!(panels.end <= weights.panels(), "panels");
    assert_eq!(out.cols(), weights.rows(), "output width");
    assert_eq!(out.rows(), rows, "output rows");
}

impl fmt::Debug for Kernels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kernels").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A number format of a key-value cache.
pub trait CacheElement: crate::plain::Plain + private::Sealed {
    #[doc(hidden)]
    const ZERO: Self;

    #[doc(hidden)]
    fn attend(kernels: &Kernels) -> Attend<Self>;

    /// Rounds numbers of the same count.
    #[doc(hidden)]
    fn narrow(from: &[f32], to: &mut [Self]);
}

impl CacheElement for f16 {
    const ZERO: Self = f16::ZERO;

    fn attend(kernels: &Kernels) -> Attend<Self> {
        kernels.attend_f16
    }

    fn narrow(from: &[f32], to: &mut [Self]) {
        to.convert_from_f32_slice(from);
    }
}

impl CacheElement for f32 {
    const ZERO: Self = 0.0;

    fn attend(kernels: &Kernels) -> Attend<Self> {
        kernels.attend_f32
    }

    fn narrow(from: &[f32], to: &mut [Self]) {
        to.copy_from_slice(from);
    }
}

mod private {
    pub trait Sealed {}
    impl Sealed for half::f16 {}
    impl Sealed for f32 {}
}
