// Products: every rest of every tile against plain loops, nothing written beside the result, rows independent.
#include <limits>

#include "buffer.hpp"
#include "check.hpp"

using unrolled::Buffer;
using unrolled::Index;
using unrolled::kernels;
using unrolled::padded;

namespace {

constexpr double kUntouched = 123.25;

template <class T>
void fill(Buffer<T>& buffer, test::Random& random) {
  const std::vector<T> numbers = random.numbers<T>(buffer.size());
  std::copy(numbers.begin(), numbers.end(), buffer.data());
}

struct Sizes {
  Index rows, columns, depth;
  bool transposed, accumulate;
};

template <class T>
void run(const Sizes& s, Index rows, const T* a, Index a_ld, const T* b, Index b_ld, T* c, Index c_ld) {
  const auto product = s.transposed ? kernels<T>().product_transposed : kernels<T>().product;
  product(rows, s.columns, s.depth, a, a_ld, b, b_ld, c, c_ld, s.accumulate);
}

template <class T>
void compare(const Sizes& s, test::Random& random) {
  const Index lanes = kernels<T>().lanes;
  const Index written = (s.columns + lanes - 1) / lanes * lanes;
  const Index a_ld = (s.transposed ? s.rows : s.depth) + 3;
  const Index b_ld = padded<T>(s.columns) + padded<T>(1);
  const Index c_ld = written + lanes;
  Buffer<T> a((s.transposed ? s.depth : s.rows) * a_ld + 1), b(s.depth * b_ld + 1), c((s.rows + 1) * c_ld);
  fill(a, random);
  fill(b, random);
  std::fill_n(c.data(), c.size(), static_cast<T>(kUntouched));
  run(s, s.rows, a.data(), a_ld, b.data(), b_ld, c.data(), c_ld);

  const double unit = std::numeric_limits<T>::epsilon();
  std::vector<T> alone(static_cast<std::size_t>(written));
  for (Index r = 0; r < s.rows; ++r) {
    for (Index j = 0; j < s.columns; ++j) {
      long double sum = s.accumulate ? kUntouched : 0, size = s.accumulate ? kUntouched : 0;
      for (Index k = 0; k < s.depth; ++k) {
        const T* at = a.data() + (s.transposed ? k * a_ld + r : r * a_ld + k);
        const long double term = static_cast<long double>(*at) * static_cast<long double>(b.data()[k * b_ld + j]);
        sum += term;
        size += std::fabs(term);
      }
      NEAR(c.data()[r * c_ld + j], sum, unit * static_cast<double>(s.depth + 2) * static_cast<double>(size));
    }
    std::fill(alone.begin(), alone.end(), static_cast<T>(kUntouched));
    run(s, 1, a.data() + (s.transposed ? r : r * a_ld), a_ld, b.data(), b_ld, alone.data(), written);
    CHECK(std::memcmp(alone.data(), c.data() + r * c_ld, alone.size() * sizeof(T)) == 0);
  }
  for (Index r = 0; r <= s.rows; ++r) {
    for (Index j = r < s.rows ? written : 0; j < c_ld; ++j) CHECK(c.data()[r * c_ld + j] == static_cast<T>(kUntouched));
  }
}

template <class T>
void products(bool transposed) {
  test::Random random(1);
  const Index lanes = kernels<T>().lanes;
  const Index columns[] = {1,         lanes - 1,     lanes,     lanes + 1, 2 * lanes,     2 * lanes + 1,
                           3 * lanes, 4 * lanes - 1, 5 * lanes, 7 * lanes, 8 * lanes + 1, 9 * lanes};
  for (Index rows = 1; rows <= 14; ++rows) {
    for (const Index column : columns) {
      for (const Index depth : {0, 1, 2, 19}) {
        if (column > 0) compare<T>({rows, column, depth, transposed, rows % 2 == 0}, random);
      }
    }
  }
}

// Rows read along their depth, padded with zeros.
template <class T>
void dot_products() {
  test::Random random(2);
  for (Index rows = 1; rows <= 3; ++rows) {
    for (Index outputs = 1; outputs <= 9; ++outputs) {
      for (const Index depth : {1, 15, 16, 17, 40}) {
        const Index ld = padded<T>(depth), c_ld = outputs + 2;
        Buffer<T> a(rows * ld), b(outputs * ld);
        std::vector<T> c(static_cast<std::size_t>(rows * c_ld), static_cast<T>(kUntouched));
        for (Index r = 0; r < rows + outputs; ++r) {
          const std::vector<T> row = random.numbers<T>(depth);
          std::copy(row.begin(), row.end(), r < rows ? a.data() + r * ld : b.data() + (r - rows) * ld);
        }
        kernels<T>().dots(rows, outputs, ld, a.data(), ld, b.data(), ld, c.data(), c_ld);
        for (Index r = 0; r < rows; ++r) {
          for (Index o = 0; o < c_ld; ++o) {
            long double sum = o < outputs ? 0 : kUntouched;
            for (Index k = 0; k < depth && o < outputs; ++k) {
              sum += static_cast<long double>(a.data()[r * ld + k]) * static_cast<long double>(b.data()[o * ld + k]);
            }
            NEAR(c[static_cast<std::size_t>(r * c_ld + o)], sum,
                 std::numeric_limits<T>::epsilon() * static_cast<double>(depth + 2));
          }
        }
      }
    }
  }
}

template <class T>
void sums() {
  test::Random random(3);
  for (Index size = 0; size <= 80; size += size < 40 ? 1 : 13) {
    const std::vector<T> from = random.numbers<T>(size), before = random.numbers<T>(size);
    std::vector<T> to = before;
    kernels<T>().add(size, from.data(), to.data());
    long double squares = 0;
    for (std::size_t i = 0; i < to.size(); ++i) {
      CHECK(to[i] == before[i] + from[i]);
      squares += static_cast<long double>(from[i]) * static_cast<long double>(from[i]);
    }
    NEAR(kernels<T>().square_sum(size, from.data()), squares, 1e-14);
    CHECK(kernels<T>().finite(size, from.data()));
    for (Index i = 0; i < size; ++i) {
      for (const T bad : {std::numeric_limits<T>::infinity(), -std::numeric_limits<T>::quiet_NaN()}) {
        std::vector<T> values = from;
        values[static_cast<std::size_t>(i)] = bad;
        CHECK(!kernels<T>().finite(size, values.data()));
      }
    }
  }
}

TEST(products_float) { products<float>(false); }
TEST(products_double) { products<double>(false); }
TEST(products_transposed_float) { products<float>(true); }
TEST(products_transposed_double) { products<double>(true); }
TEST(dots_float) { dot_products<float>(); }
TEST(dots_double) { dot_products<double>(); }
TEST(sums_float) { sums<float>(); }
TEST(sums_double) { sums<double>(); }

}  // namespace
