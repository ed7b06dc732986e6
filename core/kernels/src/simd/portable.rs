use half::f16;

use super::{FourInMemory, Simd, SixteenInMemory, factors_in_memory, wide_dots};
use crate::activations::{GROUP_SUMS, SUM_ORDER};
use crate::packed::layout::SUB_BLOCK;

const LANES: usize = 8;

/// Plain Rust, for any CPU.
#[derive(Clone, Copy)]
pub(crate) struct Portable;

#[inline(always)]
fn map<A: Copy, B>(a: [A; LANES], f: impl Fn(A) -> B) -> [B; LANES] {
    std::array::from_fn(|lane| f(a[lane]))
}

#[inline(always)]
fn zip<A: Copy, B: Copy, C>(a: [A; LANES], b: [B; LANES], f: impl Fn(A, B) -> C) -> [C; LANES] {
    std::array::from_fn(|lane| f(a[lane], b[lane]))
}

#[inline(always)]
fn dot(sum: u32, a: u32, b: u32, widen: impl Fn(u8) -> i32) -> u32 {
    let products = a.to_le_bytes().into_iter().zip(b.to_le_bytes());
    let dot: i32 = products.map(|(a, b)| widen(a) * i32::from(b.cast_signed())).sum();
    sum.wrapping_add_signed(dot)
}

impl Simd for Portable {
    const LANES: usize = LANES;
    const SIGNED_OFFSET: i32 = 0;

    type F32 = [f32; LANES];
    type Int = [u32; LANES];

    factors_in_memory!();
    wide_dots!();

    #[inline(always)]
    unsafe fn new() -> Self {
        Self
    }

    #[inline(always)]
    fn splat(self, x: f32) -> Self::F32 {
        [x; LANES]
    }

    #[inline(always)]
    unsafe fn load(self, from: *const f32) -> Self::F32 {
        // SAFETY: a vector can be read there, by `# Safety` of this method of `Simd`, at any address.
        unsafe { from.cast::<Self::F32>().read_unaligned() }
    }

    #[inline(always)]
    unsafe fn store(self, x: Self::F32, to: *mut f32) {
        // SAFETY: a vector can be written there, by `# Safety` of this method of `Simd`, at any address.
        unsafe { to.cast::<Self::F32>().write_unaligned(x) };
    }

    #[inline(always)]
    unsafe fn load_f16(self, from: *const u8) -> Self::F32 {
        // SAFETY: a vector can be read there, by `# Safety` of this method of `Simd`, at any address.
        let numbers = unsafe { from.cast::<[u16; LANES]>().read_unaligned() };
        map(numbers, |bits| f16::from_bits(bits).to_f32())
    }

    #[inline(always)]
    unsafe fn load_bf16(self, from: *const u8) -> Self::F32 {
        // SAFETY: a vector can be read there, by `# Safety` of this method of `Simd`, at any address.
        let numbers = unsafe { from.cast::<[u16; LANES]>().read_unaligned() };
        // Any bits, as they are: not all that is loaded so are numbers.
        map(numbers, |bits| f32::from_bits(u32::from(bits) << 16))
    }

    #[inline(always)]
    fn add(self, a: Self::F32, b: Self::F32) -> Self::F32 {
        zip(a, b, |a, b| a + b)
    }

    #[inline(always)]
    fn sub(self, a: Self::F32, b: Self::F32) -> Self::F32 {
        zip(a, b, |a, b| a - b)
    }

    #[inline(always)]
    fn mul(self, a: Self::F32, b: Self::F32) -> Self::F32 {
        zip(a, b, |a, b| a * b)
    }

    #[inline(always)]
    fn div(self, a: Self::F32, b: Self::F32) -> Self::F32 {
        zip(a, b, |a, b| a / b)
    }

    #[inline(always)]
    fn max(self, a: Self::F32, b: Self::F32) -> Self::F32 {
        zip(a, b, |a, b| if a > b { a } else { b })
    }

    #[inline(always)]
    fn at_least(self, bound: Self::F32, x: Self::F32) -> Self::F32 {
        zip(bound, x, |bound, x| if bound > x { bound } else { x })
    }

    #[inline(always)]
    fn at_most(self, bound: Self::F32, x: Self::F32) -> Self::F32 {
        zip(bound, x, |bound, x| if bound < x { bound } else { x })
    }

    #[inline(always)]
    fn fma(self, a: Self::F32, b: Self::F32, c: Self::F32) -> Self::F32 {
        std::array::from_fn(|lane| a[lane].mul_add(b[lane], c[lane]))
    }

    #[inline(always)]
    fn neg_fma(self, a: Self::F32, b: Self::F32, c: Self::F32) -> Self::F32 {
        std::array::from_fn(|lane| (-a[lane]).mul_add(b[lane], c[lane]))
    }

    #[inline(always)]
    fn round_to_int(self, x: Self::F32) -> Self::Int {
        map(x, |x| (x.round_ties_even() as i32).cast_unsigned())
    }

    #[inline(always)]
    fn to_f32(self, x: Self::Int) -> Self::F32 {
        map(x, |x| x.cast_signed() as f32)
    }

    #[inline(always)]
    fn to_bits(self, x: Self::F32) -> Self::Int {
        map(x, f32::to_bits)
    }

    #[inline(always)]
    fn bits_as_f32(self, x: Self::Int) -> Self::F32 {
        map(x, f32::from_bits)
    }

    #[inline(always)]
    fn splat_int(self, x: i32) -> Self::Int {
        [x.cast_unsigned(); LANES]
    }

    #[inline(always)]
    unsafe fn load_int(self, from: *const u8) -> Self::Int {
        // SAFETY: a vector can be read there, by `# Safety` of this method of `Simd`, at any address.
        unsafe { from.cast::<Self::Int>().read_unaligned() }
    }

    #[inline(always)]
    unsafe fn store_int(self, x: Self::Int, to: *mut u8) {
        // SAFETY: a vector can be written there, by `# Safety` of this method of `Simd`, at any address.
        unsafe { to.cast::<Self::Int>().write_unaligned(x) };
    }

    #[inline(always)]
    unsafe fn load_i8(self, from: *const u8, vector: usize) -> Self::Int {
        // SAFETY: the bytes of vectors 0 to `vector` can be read, by `# Safety` of `Simd::load_i8`, at any address.
        let bytes = unsafe { from.cast::<[i8; LANES]>().add(vector).read_unaligned() };
        map(bytes, |x| i32::from(x).cast_unsigned())
    }

    #[inline(always)]
    fn store_low_bytes(self, x: &[Self::Int], to: &mut [i8; SUB_BLOCK]) {
        for (to, &x) in to.as_chunks_mut().0.iter_mut().zip(x) {
            *to = map(x, |x| x as i8);
        }
    }

    #[inline(always)]
    fn look_up(self, table: Self::Int, indices: Self::Int) -> Self::Int {
        let byte = |index: u8| table[usize::from(index) / 4].to_le_bytes()[usize::from(index) % 4];
        map(indices, |indices| u32::from_le_bytes(indices.to_le_bytes().map(byte)))
    }

    #[inline(always)]
    fn sub_bytes(self, x: Self::Int, less: u8) -> Self::Int {
        map(x, |x| u32::from_le_bytes(x.to_le_bytes().map(|byte| byte.wrapping_sub(less))))
    }

    #[inline(always)]
    fn mul_bytes(self, a: Self::Int, b: Self::Int) -> Self::Int {
        zip(a, b, |a, b| {
            let (a, b) = (a.to_le_bytes(), b.to_le_bytes());
            u32::from_le_bytes(std::array::from_fn(|i| a[i].wrapping_mul(b[i])))
        })
    }

    #[inline(always)]
    fn max_int(self, a: Self::Int, b: Self::Int) -> Self::Int {
        zip(a, b, |a, b| a.cast_signed().max(b.cast_signed()).cast_unsigned())
    }

    #[inline(always)]
    fn add_int(self, a: Self::Int, b: Self::Int) -> Self::Int {
        zip(a, b, u32::wrapping_add)
    }

    #[inline(always)]
    fn mul_add_int(self, a: Self::Int, b: Self::Int, c: Self::Int) -> Self::Int {
        std::array::from_fn(|lane| a[lane].wrapping_mul(b[lane]).wrapping_add(c[lane]))
    }

    #[inline(always)]
    fn and(self, a: Self::Int, b: Self::Int) -> Self::Int {
        zip(a, b, |a, b| a & b)
    }

    #[inline(always)]
    fn or(self, a: Self::Int, b: Self::Int) -> Self::Int {
        zip(a, b, |a, b| a | b)
    }

    #[inline(always)]
    fn largest_of_each(self, x: [Self::F32; 4]) -> [f32; 4] {
        x.map(|x| x.into_iter().fold(f32::NEG_INFINITY, f32::max))
    }

    #[inline(always)]
    fn sum_pairs(self, [a, b, c, d, e, f, g, h]: Self::Int) -> [i32; 2] {
        let sum = |lanes: [u32; 4]| lanes.into_iter().fold(0, u32::wrapping_add).cast_signed();
        [sum([a, b, e, f]), sum([c, d, g, h])]
    }

    #[inline(always)]
    fn largest_lane(self, x: Self::Int) -> i32 {
        x.into_iter().map(u32::cast_signed).fold(i32::MIN, i32::max)
    }

    #[inline(always)]
    fn shl<const N: u32>(self, x: Self::Int) -> Self::Int {
        map(x, |x| x << N)
    }

    #[inline(always)]
    fn shr<const N: u32>(self, x: Self::Int) -> Self::Int {
        map(x, |x| x >> N)
    }

    #[inline(always)]
    fn byte(self, x: Self::Int, index: usize) -> Self::Int {
        map(x, |x| u32::from(x.to_le_bytes()[index]))
    }

    #[inline(always)]
    fn dot_eight(self, bytes: [Self::Int; 2], x: &[i16; GROUP_SUMS]) -> Self::Int {
        std::array::from_fn(|lane| {
            let byte = |index: usize| i32::from(bytes[index % 2][lane].to_le_bytes()[index / 2]);
            let products = SUM_ORDER.into_iter().zip(x).map(|(index, &x)| byte(index) * i32::from(x));
            products.sum::<i32>().cast_unsigned()
        })
    }

    #[inline(always)]
    fn dot_codes<const GROUP: usize>(self, dots: Self::Int, codes: Self::Int, x: SixteenInMemory) -> Self::Int {
        let x = x.group::<GROUP>().cast_unsigned();
        std::array::from_fn(|lane| dot(dots[lane], codes[lane], x, i32::from))
    }

    #[inline(always)]
    fn signed_operand(self, bytes: Self::Int) -> Self::Int {
        bytes
    }

    #[inline(always)]
    fn dot_signed<const GROUP: usize>(self, dots: Self::Int, operand: Self::Int, x: SixteenInMemory) -> Self::Int {
        let x = x.group::<GROUP>().cast_unsigned();
        std::array::from_fn(|lane| dot(dots[lane], operand[lane], x, |byte| i32::from(byte.cast_signed())))
    }
}
