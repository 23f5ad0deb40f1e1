#pragma once

#include "fhir/internal/examples_testing.hpp"  // for the tests of other rooms too
