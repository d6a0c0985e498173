/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "shim.h"

#include <gtest/gtest.h>

namespace
{

class CTest : public testing::Test
{
public:
  explicit CTest (const ShimCase &c_case) : c_case_ (c_case) {}

protected:
  void
  SetUp () override
  {
    shim_case_begin (c_case_.file, c_case_.line);
  }

  void
  TearDown () override
  {
    shim_case_end ();
  }

private:
  void
  TestBody () override
  {
    c_case_.body ();
  }

  const ShimCase c_case_;
};

} // namespace

void
shim_add_failure (const char *file, int line, const char *message)
{
  ADD_FAILURE_AT (file, line) << message;
}

void
shim_add_skip (const char *file, int line, const char *reason)
{
  GTEST_MESSAGE_AT_ (file, line, reason, testing::TestPartResult::kSkip);
}

int
main (int argc, char **argv)
{
  testing::InitGoogleTest (&argc, argv);
  shim_start ();

  unsigned n_cases;
  const ShimCase *cases = shim_cases (&n_cases);
  for (unsigned i = 0; i < n_cases; i++)
    {
      const ShimCase c_case = cases[i];
      /* The return type tells GoogleTest that all these tests share one fixture class. */
      testing::RegisterTest (c_case.suite, c_case.name, nullptr, nullptr, c_case.file, c_case.line,
                             [c_case] () -> CTest * { return new CTest (c_case); });
    }
  return RUN_ALL_TESTS ();
}
